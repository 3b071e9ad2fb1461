import { type InputIssue, InvalidInputError } from '../domain/error.ts';

/** A global id: opaque to clients, the type and the key in it for us. */
export function encodeGlobalId(typename: string, id: string | number | bigint): string {
  return Buffer.from(`${typename}:${id}`).toString('base64url');
}

/** The types that implement `Node`. */
export const NODE_TYPES: readonly string[] = [
  'File',
  'Folder',
  'Job',
  'Media',
  'Tag',
  'UploadSession',
];

/** Throws InvalidInputError for what is no global id. */
export function decodeGlobalId(globalId: string): GlobalId {
  return decode(globalId, ['id']);
}

/** The database id in a global id of a type. Throws InvalidInputError that names the field. */
export function parseNodeId(typename: string, globalId: string, field: string): number {
  return parseId([typename], globalId, [field]);
}

/** The same where none need be given: undefined. An empty one is given, and wrong. */
export function parseOptionalNodeId(
  typename: string,
  globalId: string | null | undefined,
  field: string,
): number | undefined {
  return globalId === null || globalId === undefined
    ? undefined
    : parseNodeId(typename, globalId, field);
}

/** The same of a list, of one type or of several whose database ids are of one row of numbers. */
export function parseNodeIds(
  typenames: readonly string[],
  globalIds: readonly string[],
  field: string,
): number[] {
  return globalIds.map((globalId, index) => parseId(typenames, globalId, [field, index]));
}

/** The key as a number, written as we write it; else one that no row has. */
export function parseDatabaseId(id: string): number {
  const number = Number(id);
  return Number.isSafeInteger(number) && String(number) === id ? number : 0;
}

interface GlobalId {
  typename: string;
  id: string;
}

type Path = InputIssue['path'];

function parseId(typenames: readonly string[], globalId: string, path: Path): number {
  const decoded = decode(globalId, path);
  const id = parseDatabaseId(decoded.id);
  if (typenames.includes(decoded.typename) && id > 0) return id;
  throw invalidId(path, `Not the id of a ${typenames.join(' or ')}.`);
}

function decode(globalId: string, path: Path): GlobalId {
  const [, typename = '', id = ''] =
    /^(\w+):(.+)$/.exec(Buffer.from(globalId, 'base64url').toString()) ?? [];
  if (NODE_TYPES.includes(typename)) return { typename, id };
  throw invalidId(path, 'Not an id of this server.');
}

function invalidId(path: Path, message: string): InvalidInputError {
  return new InvalidInputError([{ path, code: 'INVALID_ID', message }]);
}
