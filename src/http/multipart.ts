import type { IncomingMessage } from 'node:http';
import { headerText } from '../lib/header-text.ts';
import { arrivingBytes, FIELD_BYTES_MAX, gather, MalformedBodyError } from './body.ts';
import { MarkedInput } from './marked-input.ts';
import { type PartHeader, parseParameters, parsePartHeader } from './part-header.ts';

/** A part that is a file, as its bytes arrive. */
export interface FilePart extends PartHeader {
  /** To be read once. Fails when the body ends before the part does, or the client goes away. */
  bytes: AsyncIterable<Uint8Array>;
}

/** What of a multipart body is wanted. */
export interface MultipartOptions {
  /**
   * Whether the parts of this name are files. Its name decides, and not whether a part has a filename:
   * clients leave that out, and what is read as text is damaged. Other parts are fields, and those of
   * them with a filename are thrown away.
   */
  isFile: (name: string) => boolean;
  /** Takes a file. The next part waits for it; what it leaves of the bytes is thrown away. */
  onFile: (file: FilePart) => Promise<void>;
  /** Receives each field as soon as it has been read. What it throws ends the reading. */
  onField?: (name: string, value: string) => void;
}

/** More than any form has. */
const PARTS_MAX = 1000;
const HEADER_BYTES_MAX = 16 * 1024;
/** RFC 2046 §5.1.1 allows 70; clients exist that do not count. */
const BOUNDARY_LENGTH_MAX = 200;

const LINE_END = Buffer.from('\r\n');
const HEADER_END = Buffer.from('\r\n\r\n');
const CLOSE = Buffer.from('--');

/**
 * Reads a body of `multipart/form-data` (RFC 7578) part by part; resolves with its fields, of which the
 * last of a name wins. Throws MalformedBodyError for a broken body and when the client goes away,
 * BodyTooLargeError for fields, and what `onFile` and `onField` throw; what `onFile` has done by then is the caller's
 * to undo. The rest of the request is thrown away as it arrives, so that the answer can be read.
 *
 * Not `@fastify/busboy`: it waits for ever on a part that it skips (one that is no `form-data`, or has
 * no name) and that has more than its buffer's 64 KiB, and it takes an empty boundary.
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
      fields.set(part.name, value.toString());
      onField?.(part.name, value.toString());
    }
    return fields;
  } finally {
    // While it is being iterated, a stream does not flow.
    await source.return(undefined);
    request.resume();
  }
}

async function* readParts(
  source: AsyncGenerator<Buffer>,
  delimiter: Buffer,
): AsyncGenerator<FilePart> {
  // RFC 2046 §5.1.1: the line end before a boundary belongs to it; before the first there may be none.
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

/** The rest of the boundary's line, and the lines up to an empty one. */
async function readHeader(input: MarkedInput): Promise<string> {
  let header = Buffer.alloc(0);
  for (let piece = await input.pull(HEADER_END); piece; piece = await input.pull(HEADER_END)) {
    header = Buffer.concat([header, piece]);
    if (header.length > HEADER_BYTES_MAX) throw broken('The header of a part is too long.');
  }
  const text = headerText(header.toString('latin1'));
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
