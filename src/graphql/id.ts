import { type InputIssue, InvalidInputError } from '../domain/error.ts';

/** Returns a global id: opaque to clients, it contains the type and the key. */
export function encodeGlobalId(typename: string, id: string | number | bigint): string {
  return Buffer.from(`${typename}:${id}`).toString('base64url');
}

/** Names of the types that implement `Node`. */
export const NODE_TYPES: readonly string[] = [
  'ApiKey',
  'File',
  'FileVersion',
  'Folder',
  'Job',
  'Media',
  'Tag',
  'UploadSession',
  'User',
];

/** Returns the type and the key in a global id. Throws InvalidInputError if it is malformed. */
export function decodeGlobalId(globalId: string): GlobalId {
  return decode(globalId, ['id']);
}

/** Returns the type and the key in a global id; null for any other text. */
export function globalIdParts(text: string): GlobalId | null {
  const [, typename = '', id = ''] =
    /^(\w+):(.+)$/.exec(Buffer.from(text, 'base64url').toString()) ?? [];
  return NODE_TYPES.includes(typename) ? { typename, id } : null;
}

/** Returns the database id in a global id of a type. Throws InvalidInputError, naming `field`, for any other string. */
export function parseNodeId(typename: string, globalId: string, field: string | Path): number {
  return parseId([typename], globalId, [field].flat());
}

/**
 * Like `parseNodeId`, for an optional field: returns undefined if it is absent or null. An empty string is an error.
 */
export function parseOptionalNodeId(
  typename: string,
  globalId: string | null | undefined,
  field: string | Path,
): number | undefined {
  return globalId === null || globalId === undefined
    ? undefined
    : parseNodeId(typename, globalId, field);
}

/** Like `parseOptionalNodeId`, for an id of one of several types. Returns the type as well. */
export function parseOptionalTypedId(
  typenames: readonly string[],
  globalId: string | null | undefined,
  field: string,
): { typename: string; id: number } | undefined {
  if (globalId === null || globalId === undefined) return undefined;
  const id = parseId(typenames, globalId, [field]);
  return { typename: decode(globalId, [field]).typename, id };
}

/** Like `parseNodeId`, for a list. Accepts ids of several types, which must share one sequence of database ids. */
export function parseNodeIds(
  typenames: readonly string[],
  globalIds: readonly string[],
  field: string | Path,
): number[] {
  return globalIds.map((globalId, index) => parseId(typenames, globalId, [field, index].flat()));
}

/** A node of the folder tree, as its global id names it. */
interface TreeId {
  id: number;
  kind: 'folder' | 'media';
}

/** Like `parseNodeIds`, for nodes of the folder tree: returns each with its kind. */
export function parseTreeIds(globalIds: readonly string[], field: string): TreeId[] {
  return globalIds.map((globalId, index) => parseTreeId(globalId, [field, index]));
}

/** Like `parseTreeIds`, for an optional field: returns undefined if it is absent or null. */
export function parseOptionalTreeId(
  globalId: string | null | undefined,
  field: string,
): TreeId | undefined {
  return globalId === null || globalId === undefined ? undefined : parseTreeId(globalId, [field]);
}

function parseTreeId(globalId: string, path: Path): TreeId {
  const id = parseId(['Folder', 'Media'], globalId, path);
  return { id, kind: decode(globalId, path).typename === 'Folder' ? 'folder' : 'media' };
}

/** Returns the key as a number; 0, which no row has, if it is not written as the server writes it. */
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
  throw invalidId(path, `Expected a global id of type ${typenames.join(' or ')}.`);
}

function decode(globalId: string, path: Path): GlobalId {
  const parts = globalIdParts(globalId);
  if (parts !== null) return parts;
  throw invalidId(path, 'Expected a global id of this server.');
}

function invalidId(path: Path, message: string): InvalidInputError {
  return new InvalidInputError([{ path, code: 'INVALID_ID', message }]);
}
