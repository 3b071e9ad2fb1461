/**
 * The text of a page, in whatever charset its bytes are: as the byte order mark says, else the header, else the
 * page itself at its beginning; without any, UTF-8 where it can be that, and what browsers take in the West.
 */
export function decodeHtml(bytes: Uint8Array, contentType: string | null): string {
  const beginning = new TextDecoder('latin1').decode(bytes.subarray(0, BEGINNING_BYTES));
  const label =
    charsetOfMark(bytes) ?? charsetIn(contentType ?? '') ?? charsetIn(metaOf(beginning));
  const decoder = label === null ? null : createDecoder(label);
  if (decoder !== null) return decoder.decode(bytes);
  return isUtf8(bytes) ? new TextDecoder().decode(bytes) : WESTERN.decode(bytes);
}

/** Where the standard has a page say it. */
const BEGINNING_BYTES = 1024;
const WESTERN = new TextDecoder('windows-1252');

function charsetOfMark([first, second, third]: Uint8Array): string | null {
  if (first === 0xef && second === 0xbb && third === 0xbf) return 'utf-8';
  if (first === 0xfe && second === 0xff) return 'utf-16be';
  return first === 0xff && second === 0xfe ? 'utf-16le' : null;
}

function charsetIn(text: string): string | null {
  return /charset\s*=\s*["']?([\w.:-]{1,40})/i.exec(text)?.[1] ?? null;
}

/** Of `<meta charset=…>` and of `<meta http-equiv content="text/html; charset=…">`. */
function metaOf(html: string): string {
  return /<meta\s[^>]*charset\s*=[^>]*>/i.exec(html)?.[0] ?? '';
}

/** Null for a charset that is not known. What can be read of a damaged page is read. */
function createDecoder(label: string): TextDecoder | null {
  try {
    return new TextDecoder(label);
  } catch {
    return null;
  }
}

/** A page may have been cut in the middle of a character. */
function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}
