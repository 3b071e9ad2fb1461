import { type FileHandle, open } from 'node:fs/promises';
import { binaryType } from './binary.ts';
import { describeType, type Sniffed, UNKNOWN } from './mime-type.ts';
import { sniffText } from './text.ts';
import { zipType } from './zip.ts';

export type { Sniffed } from './mime-type.ts';

/**
 * Holds the magic numbers of all formats, the prolog of any honest XML, and enough text to tell it
 * from binary.
 */
const HEAD_BYTES = 64 * 1024;

/**
 * What the file at `path` is, by its content. `filename` only refines: it tells CSV from plain
 * text, a Word from an Excel file of the old format; no name makes text a picture, or anything
 * active. Bytes that nothing recognises, and an empty file, are `application/octet-stream` without
 * an extension.
 *
 * Reads 64 KiB, and of a ZIP its list of entries; unpacks and decodes nothing; so any file costs
 * about a millisecond and a quarter of a megabyte. (`fileTypeFromFile` follows a hostile file
 * through 16 MiB of gzip, a thousand ZIP entries and hundreds of nested ID3 tags.) A type is no
 * promise that the file is intact, nor that it is one format only.
 *
 * Throws what opening and reading throw.
 */
export async function sniffFile(
  path: string,
  options: { filename?: string } = {},
): Promise<Sniffed> {
  const file = await open(path);
  try {
    return await sniff(file, options.filename);
  } finally {
    await file.close();
  }
}

async function sniff(file: FileHandle, filename: string | undefined): Promise<Sniffed> {
  const { size } = await file.stat();
  const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.min(size, HEAD_BYTES)));
  const head = buffer.subarray(0, bytesRead);
  if (head.length === 0) return UNKNOWN;
  const text = sniffText(head, size <= HEAD_BYTES, filename);
  if (text !== null) return text;
  const type = isZip(head) ? await zipType(file, size, head) : await binaryType(head);
  return type === null ? UNKNOWN : describeType(type[0], type[1], filename);
}

function isZip(head: Buffer): boolean {
  return head.toString('latin1', 0, 4) === 'PK\x03\x04';
}
