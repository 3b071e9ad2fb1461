import { type FileHandle, open } from 'node:fs/promises';
import { binaryType } from './binary.ts';
import { compoundType, isCompound } from './compound.ts';
import { describeType, type Sniffed, UNKNOWN } from './mime-type.ts';
import { isLatePdf, sniffText } from './text.ts';
import { zipType } from './zip.ts';

export type { Sniffed } from './mime-type.ts';

/**
 * Bytes read from the beginning of a file. They hold the magic numbers of all formats, the prolog
 * of any legitimate XML, and enough text to tell it from binary data.
 */
const HEAD_BYTES = 64 * 1024;

/**
 * Returns the MIME type of the file at `path`, detected from its content. `filename` only refines
 * the type: it distinguishes CSV from plain text, and Word from Excel files of the old format. No
 * filename turns text into an image or into active content. An empty file and a file of unknown
 * format are `application/octet-stream` without an extension.
 *
 * Reads 64 KiB, and the list of entries of a ZIP; unpacks and decodes nothing. Any file therefore
 * costs about a millisecond and a quarter of a megabyte. (`fileTypeFromFile` follows a hostile file
 * through 16 MiB of gzip, a thousand ZIP entries and hundreds of nested ID3 tags.) The type does
 * not guarantee that the file is intact, or that it is valid in one format only.
 *
 * Throws the file system's error when the file cannot be opened or read.
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
  const type = await typeOf(file, size, head);
  return type === null ? UNKNOWN : describeType(type[0], type[1], filename);
}

async function typeOf(file: FileHandle, size: number, head: Buffer) {
  if (isZip(head)) return zipType(file, size, head);
  if (isCompound(head)) return compoundType(file, head);
  return (await binaryType(head)) ?? (isLatePdf(head) ? PDF : null);
}

const PDF = ['application/pdf', 'pdf'] as const;

function isZip(head: Buffer): boolean {
  return head.toString('latin1', 0, 4) === 'PK\x03\x04';
}
