import { binaryType } from './binary.ts';
import { compoundType, isCompound } from './compound.ts';
import { describeType, type Sniffed, UNKNOWN } from './mime-type.ts';
import { type OpenSource, type Source, withSource } from './source.ts';
import { isLatePdf, isNamedPdf, PDF, sniffText } from './text.ts';
import { zipType } from './zip.ts';

export type { Sniffed } from './mime-type.ts';

/**
 * Bytes read from the beginning of a file. They hold the magic numbers of all formats, the prolog
 * of any legitimate XML, and enough text to tell it from binary data.
 */
const HEAD_BYTES = 64 * 1024;

/**
 * Returns the MIME type of a file, detected from its content. `filename` only refines
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
export function sniffFile(
  source: Source | OpenSource,
  options: { filename?: string } = {},
): Promise<Sniffed> {
  return withSource(source, (source) => sniff(source, options.filename));
}

async function sniff(source: OpenSource, filename: string | undefined): Promise<Sniffed> {
  const { sizeBytes } = source;
  const memory = Buffer.alloc(Math.min(sizeBytes, HEAD_BYTES));
  const head = memory.subarray(0, await source.read(memory, memory.length, 0));
  if (head.length === 0) return UNKNOWN;
  const isWhole = sizeBytes <= HEAD_BYTES;
  const text = sniffText(head, { isWhole }, filename);
  if (text !== null) return text;
  const type = await typeOf(source, head, filename);
  if (type !== null) return describeType(type[0], type[1], filename);
  return sniffText(head, { isWhole, mayBeWide: true }, filename) ?? UNKNOWN;
}

async function typeOf(source: OpenSource, head: Buffer, filename: string | undefined) {
  if (isZip(head)) return zipType(source, head);
  if (isCompound(head)) return compoundType(source, head);
  const type = await binaryType(head);
  if (type !== null) return type;
  return isLatePdf(head) || isNamedPdf(head, filename) ? PDF : null;
}

function isZip(head: Buffer): boolean {
  return head.toString('latin1', 0, 4) === 'PK\x03\x04';
}
