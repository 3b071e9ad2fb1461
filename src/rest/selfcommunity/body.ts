import type { FastifyRequest } from 'fastify';
import { InvalidInputError } from '../../domain/error.ts';
import {
  bodyType,
  hasBody,
  MalformedBodyError,
  parseJson,
  readBytes,
  UnsupportedBodyError,
} from '../../http/body.ts';
import { type FilePart, readMultipart } from '../../http/multipart.ts';
import { type Fields, isObject, isTooDeep, parseObject } from './field.ts';

/** A file that is small enough to be held. */
export interface SmallFile extends Pick<FilePart, 'filename' | 'mediaType'> {
  /** Cut off, but longer than `bytesMax`, if the file is. */
  bytes: Uint8Array;
  /** Of the whole file, held or not. */
  sizeBytes: number;
}

/** What a write brings. */
export interface Body {
  fields: Fields;
  /** The last one among the parts that were asked for. */
  file: SmallFile | null;
}

/** Which parts of a multipart body are a file, and how much of one is held. */
export interface FileParts {
  names: readonly string[];
  bytesMax: number;
}

/**
 * Contract §2: every write takes JSON, urlencoded and multipart. No body is one without fields. Throws
 * UnsupportedBodyError for other content types, MalformedBodyError, BodyTooLargeError, InvalidInputError
 * for JSON that is no object.
 */
export async function readBody(
  { raw }: FastifyRequest,
  parts: FileParts = { names: [], bytesMax: 0 },
): Promise<Body> {
  if (!hasBody(raw.headers)) return { fields: new Map(), file: null };
  const type = bodyType(raw.headers);
  if (type === 'multipart/form-data') {
    let file: SmallFile | null = null;
    const fields = await readMultipart(raw, {
      isFile: (name) => parts.names.includes(name),
      onFile: async (part) => {
        file = await hold(part, parts.bytesMax);
      },
    });
    return { fields, file };
  }
  const read = READERS.get(type);
  if (read === undefined) throw new UnsupportedBodyError(raw.headers['content-type'] ?? '');
  return { fields: read(await readBytes(raw)), file: null };
}

const READERS: ReadonlyMap<string, (bytes: Buffer) => Fields> = new Map([
  ['application/json', parseDocument],
  ['application/x-www-form-urlencoded', parseForm],
]);

/** Contract §4: a body without bytes is an empty object; any other value than an object is refused. */
function parseDocument(bytes: Buffer): Fields {
  const value = bytes.length === 0 ? {} : parseJson(bytes);
  if (isTooDeep(value)) throw new MalformedBodyError('json', 'The value is nested too deep.');
  if (isObject(value)) return new Map(Object.entries(value));
  const message =
    value === null
      ? 'No data provided'
      : `Invalid data. Expected a dictionary, but got ${pythonType(value)}.`;
  throw new InvalidInputError([{ path: [], code: value === null ? 'NULL' : 'INVALID', message }]);
}

/** Contract §4: the documents' samples send JSON under this content type. Of repeated keys the last wins. */
function parseForm(bytes: Buffer): Fields {
  const text = bytes.toString();
  const sample = text.trimStart().startsWith('{') ? parseObject(text) : null;
  return new Map(sample ? Object.entries(sample) : new URLSearchParams(text));
}

/** The service that clients were made for names types in the words of its language. */
function pythonType(value: unknown): string {
  if (Array.isArray(value)) return 'list';
  if (typeof value === 'string') return 'str';
  if (typeof value === 'boolean') return 'bool';
  return Number.isInteger(value) ? 'int' : 'float';
}

async function hold(
  { filename, mediaType, bytes }: FilePart,
  bytesMax: number,
): Promise<SmallFile> {
  const pieces: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const piece of bytes) {
    if (sizeBytes <= bytesMax) pieces.push(piece);
    sizeBytes += piece.length;
  }
  return { filename, mediaType, bytes: Buffer.concat(pieces), sizeBytes };
}
