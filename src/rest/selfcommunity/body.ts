import type { FastifyRequest } from 'fastify';
import { InvalidInputError } from '../../domain/error.ts';
import {
  bodyType,
  hasBody,
  MalformedBodyError,
  parseForm,
  parseJson,
  readBytes,
  UnsupportedBodyError,
} from '../../http/body.ts';
import { type FilePart, readMultipart } from '../../http/upload/multipart.ts';
import { isTooDeep } from '../../lib/json.ts';
import { type Fields, isObject, parseObject } from './field.ts';

/** A file that fits into memory. */
export interface SmallFile extends Pick<FilePart, 'filename' | 'mediaType'> {
  /** The bytes of the file; cut off somewhere after `bytesMax` if it is longer. */
  bytes: Uint8Array;
  /** Size of the whole file, including bytes that were dropped. */
  sizeBytes: number;
}

/** The body of a write. */
export interface Body {
  fields: Fields;
  /** The last of the requested file parts; null: none was sent. */
  file: SmallFile | null;
}

/** The parts of a multipart body that are a file, and the number of its bytes to keep. */
export interface FileParts {
  names: readonly string[];
  bytesMax: number;
}

/**
 * Reads the body of a write. Contract §2: JSON, urlencoded or multipart; a missing body has no
 * fields. Throws UnsupportedBodyError for other content types, MalformedBodyError,
 * BodyTooLargeError, and InvalidInputError for JSON that is not an object.
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
  ['application/x-www-form-urlencoded', readForm],
]);

/** Parses JSON. Contract §4: an empty body counts as an empty object; any value but an object is refused. */
function parseDocument(bytes: Buffer): Fields {
  const value = bytes.length === 0 ? {} : parseJson(bytes);
  if (isTooDeep(value)) throw new MalformedBodyError('json', 'The value is nested too deeply.');
  if (isObject(value)) return new Map(Object.entries(value));
  const message =
    value === null
      ? 'No data provided'
      : `Invalid data. Expected a dictionary, but got ${pythonType(value)}.`;
  throw new InvalidInputError([{ path: [], code: value === null ? 'NULL' : 'INVALID', message }]);
}

/**
 * Parses a form. Contract §4: samples in the documents send JSON under this content type. The last of repeated keys
 * wins.
 */
function readForm(bytes: Buffer): Fields {
  const text = bytes.toString();
  const sample = text.trimStart().startsWith('{') ? parseObject(text) : null;
  return new Map(sample ? Object.entries(sample) : parseForm(text));
}

/** Names a type as Python does: clients know the messages of a service in that language. */
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
