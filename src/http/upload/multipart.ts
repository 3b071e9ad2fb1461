import type { IncomingMessage } from 'node:http';
import { parseParameters, textOf } from '../../lib/header-value.ts';
import { arrivingBytes, FIELD_BYTES_MAX, gather, MalformedBodyError } from '../body.ts';
import { MarkedInput } from '../marked-input.ts';
import { type PartHeader, parsePartHeader } from './part-header.ts';

/** A part with a file, whose bytes are still arriving. */
export interface FilePart extends PartHeader {
  /** Can be read once. Fails if the body ends before the part does, or the client disconnects. */
  bytes: AsyncIterable<Uint8Array>;
}

/** Options of `readMultipart`. */
export interface MultipartOptions {
  /**
   * Whether the parts of this name are files. The name decides, not the presence of a filename:
   * clients leave that out, and a file that is read as text is damaged. Other parts are fields;
   * those with a filename are discarded.
   */
  isFile: (name: string) => boolean;
  /** Takes a file. The next part waits for it; bytes that it leaves are discarded. */
  onFile: (file: FilePart) => Promise<void>;
  /** Receives each field as soon as it has been read. An error that it throws ends the reading. */
  onField?: (name: string, value: string) => void;
}

/** Maximum number of parts, more than any form has. */
const PARTS_MAX = 1000;
const HEADER_BYTES_MAX = 16 * 1024;
/** RFC 2046 §5.1.1 allows 70, which some clients exceed. */
const BOUNDARY_LENGTH_MAX = 200;

const LINE_END = Buffer.from('\r\n');
const HEADER_END = Buffer.from('\r\n\r\n');
const CLOSE = Buffer.from('--');

/**
 * Reads a body of `multipart/form-data` (RFC 7578) part by part and returns its fields; the last of a name wins. Throws
 * MalformedBodyError for a broken body and if the client disconnects, BodyTooLargeError for fields, and any error of
 * `onFile` and `onField`; the caller undoes the earlier effects of `onFile`. The rest of the request is discarded as it
 * arrives, so that the client can read the response.
 *
 * Not `@fastify/busboy`: it waits for ever on a skipped part (one that is not `form-data`, or has
 * no name) with more than its buffer's 64 KiB, and it accepts an empty boundary.
 */
export async function readMultipart(
  request: IncomingMessage,
  { isFile, onFile, onField }: MultipartOptions,
): Promise<Map<string, string>> {
  const fields = new Map<string, string>();
  const delimiter = Buffer.from(`\r\n--${readBoundary(request)}`);
  const source = arrivingBytes(request);
  let roomBytes = FIELD_BYTES_MAX;
  try {
    for await (const part of readParts(source, delimiter)) {
      if (isFile(part.name)) await onFile(part);
      if (isFile(part.name) || part.filename !== null) continue;
      const value = await gather(part.bytes, roomBytes);
      roomBytes -= value.length;
      const text = textOf(value);
      fields.set(part.name, text);
      onField?.(part.name, text);
    }
    return fields;
  } finally {
    // A stream does not flow while it is being iterated.
    await source.return(undefined);
    request.resume();
  }
}

async function* readParts(
  source: AsyncGenerator<Buffer>,
  delimiter: Buffer,
): AsyncGenerator<FilePart> {
  // RFC 2046 §5.1.1: the line end before a boundary belongs to the boundary; before the first there
  // may be none.
  const input = new MarkedInput(source, LINE_END);
  await skip(input, delimiter);
  for (let count = 0; !(await input.startsWith(CLOSE)); count++) {
    if (count === PARTS_MAX) throw broken(`There are more than ${PARTS_MAX} parts.`);
    const header = parsePartHeader(await readHeader(input));
    const part = { isRead: false };
    if (header !== null) yield { ...header, bytes: readPart(input, delimiter, part) };
    if (!part.isRead) await skip(input, delimiter);
  }
}

function readBoundary({ headers }: IncomingMessage): string {
  const boundary = parseParameters(headers['content-type'] ?? '').get('boundary') ?? '';
  if (boundary === '' || boundary.length > BOUNDARY_LENGTH_MAX) {
    throw broken('The boundary is missing or too long.');
  }
  return boundary;
}

/** Reads the rest of the boundary's line, and the lines up to an empty one. */
async function readHeader(input: MarkedInput): Promise<string> {
  let header = Buffer.alloc(0);
  for (let piece = await input.pull(HEADER_END); piece; piece = await input.pull(HEADER_END)) {
    header = Buffer.concat([header, piece]);
    if (header.length > HEADER_BYTES_MAX) throw broken('The header of a part is too long.');
  }
  const text = textOf(header);
  if (!/^[ \t]*(\r\n|$)/.test(text)) throw broken('A boundary does not end its line.');
  return text;
}

async function* readPart(input: MarkedInput, delimiter: Buffer, part: { isRead: boolean }) {
  for (let piece = await input.pull(delimiter); piece; piece = await input.pull(delimiter)) {
    yield piece;
  }
  part.isRead = true;
}

async function skip(input: MarkedInput, mark: Buffer): Promise<void> {
  while ((await input.pull(mark)) !== null);
}

function broken(message: string): MalformedBodyError {
  return new MalformedBodyError('multipart', message);
}
