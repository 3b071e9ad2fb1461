import { decodeUnicode } from '../../lib/unicode-text.ts';
import type { Body } from '../send-body.ts';
import type { SelectedRange } from './range.ts';

/** Bytes that are about to be sent. */
export interface Text {
  mimeType: string;
  sizeBytes: number;
}

/** The number of bytes that were examined at upload, when the file was found to be text. */
const HEAD_BYTES = 64 * 1024;

/**
 * Returns the Content-Type of a file: text whose beginning is UTF-8, or UTF-16 without a byte order mark, gets its
 * charset. Other text gets none, so that the browser looks for a byte order mark or a `<meta>`, and guesses an old
 * encoding from all of the text. XML and JSON need none: XML declares its own, JSON has no choice. Reads up to 64 KiB of
 * text, and nothing of other types.
 */
export async function contentType(
  { mimeType, sizeBytes }: Text,
  read: (range: SelectedRange) => Promise<Body>,
): Promise<string> {
  if (!mimeType.startsWith('text/') || sizeBytes === 0) return mimeType;
  const end = Math.min(sizeBytes, HEAD_BYTES) - 1;
  const body = await read({ start: 0, end });
  const head = 'destroy' in body ? Buffer.concat(await Array.fromAsync(body)) : body;
  const found = decodeUnicode(head, {
    isWhole: end + 1 === sizeBytes,
    isText: true,
    mayBeWide: true,
  });
  if (found === null) return mimeType;
  const { encoding, hasMark } = found;
  const isSaid = encoding === 'utf-8' || (!hasMark && encoding.startsWith('utf-16'));
  return isSaid ? `${mimeType}; charset=${encoding}` : mimeType;
}
