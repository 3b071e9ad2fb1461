import type { SelectedRange } from './range.ts';

/** Bytes that are about to be sent. */
export interface Text {
  mimeType: string;
  sizeBytes: number;
}

/** The number of bytes that were examined at upload, when the file was found to be text. */
const HEAD_BYTES = 64 * 1024;

/**
 * Returns the Content-Type of a file: text whose beginning is UTF-8 gets its charset. Other text
 * gets none, so that the browser looks for a byte order mark or a `<meta>`. XML and JSON need none:
 * XML declares its own, JSON has no choice. Reads up to 64 KiB of text, and nothing of other types.
 */
export async function contentType(
  { mimeType, sizeBytes }: Text,
  read: (range: SelectedRange) => Promise<AsyncIterable<Uint8Array>>,
): Promise<string> {
  if (!mimeType.startsWith('text/') || sizeBytes === 0) return mimeType;
  const end = Math.min(sizeBytes, HEAD_BYTES) - 1;
  const isCut = end + 1 < sizeBytes;
  return (await isUtf8(await read({ start: 0, end }), isCut))
    ? `${mimeType}; charset=utf-8`
    : mimeType;
}

/** Returns whether the bytes are valid UTF-8. `isCut`: the last character may be incomplete. */
async function isUtf8(bytes: AsyncIterable<Uint8Array>, isCut: boolean): Promise<boolean> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    for await (const piece of bytes) decoder.decode(piece, { stream: true });
    decoder.decode(undefined, { stream: isCut });
    return true;
  } catch (error) {
    // The decoder throws a TypeError; a failing disk throws another error.
    if (error instanceof TypeError) return false;
    throw error;
  }
}
