import { InvalidInputError } from '../domain/error.ts';

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
export function decodeGlobalId(globalId: string): { typename: string; id: string } {
  const [, typename = '', id = ''] =
    /^(\w+):(.+)$/.exec(Buffer.from(globalId, 'base64url').toString()) ?? [];
  if (NODE_TYPES.includes(typename)) return { typename, id };
  throw InvalidInputError.of('id', 'INVALID_ID', 'Not an id of this server.');
}

/** The database id in a global id of a type. Throws InvalidInputError that names the field. */
export function parseNodeId(typename: string, globalId: string, field: string): number {
  return parseAnyNodeId([typename], globalId, field);
}

/** The same for one of several types, whose database ids are of one row of numbers. */
export function parseAnyNodeId(
  typenames: readonly string[],
  globalId: string,
  field: string,
): number {
  const decoded = decodeGlobalId(globalId);
  const id = parseDatabaseId(decoded.id);
  if (typenames.includes(decoded.typename) && id > 0) return id;
  throw InvalidInputError.of(field, 'INVALID_ID', `Not the id of a ${typenames.join(' or ')}.`);
}

/** The key as a number; one that no row has for what is no number. */
export function parseDatabaseId(id: string): number {
  const number = Number(id);
  return Number.isSafeInteger(number) ? number : 0;
}
