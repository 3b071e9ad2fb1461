type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'utf-32le' | 'utf-32be';

/** A text in an encoding of Unicode. */
export interface UnicodeText {
  encoding: Encoding;
  /** Whether it begins with a byte order mark, which is not part of `text`. */
  hasMark: boolean;
  text: string;
}

/** What is known of the bytes of a text. */
export interface TextHint {
  /** Whether they are all of the text, so that a character cut off at their end is an error. */
  isWhole: boolean;
  /** Whether something else says that they are a text, so that little proof is enough. */
  isText: boolean;
  /** Whether they may be in UTF-16 or UTF-32 without a byte order mark: a guess, which some binary formats meet too. */
  mayBeWide: boolean;
}

/**
 * Decodes bytes in UTF-8, UTF-16 or UTF-32. Returns null for bytes in another encoding and for binary data. Without a
 * byte order mark, it tries UTF-16 and UTF-32 only for bytes with control characters, which other texts do not have.
 */
export function decodeUnicode(bytes: Uint8Array, hint: TextHint): UnicodeText | null {
  const marked = MARKS.find(([mark]) => mark.every((byte, index) => bytes[index] === byte));
  if (marked !== undefined) {
    const [mark, encoding] = marked;
    const text = decode(bytes.subarray(mark.length), encoding, hint);
    // The mark of UTF-32LE begins with that of UTF-16LE, which a NUL may follow.
    if (text !== null || !encoding.startsWith('utf-32')) return wrap(encoding, true, text);
  }
  const text = decode(bytes, 'utf-8', hint);
  const isSingle = text !== null && !hasControls(text);
  if (isSingle || !hint.mayBeWide || !hasControls(Buffer.from(bytes).toString('latin1'))) {
    return wrap('utf-8', false, text);
  }
  return decodeWide(bytes, hint) ?? wrap('utf-8', false, text);
}

/** Tells whether bytes begin with a byte order mark. */
export function hasMark(bytes: Uint8Array): boolean {
  return MARKS.some(([mark]) => mark.every((byte, index) => bytes[index] === byte));
}

const MARKS: readonly (readonly [mark: readonly number[], encoding: Encoding])[] = [
  [[0xff, 0xfe, 0, 0], 'utf-32le'],
  [[0, 0, 0xfe, 0xff], 'utf-32be'],
  [[0xef, 0xbb, 0xbf], 'utf-8'],
  [[0xff, 0xfe], 'utf-16le'],
  [[0xfe, 0xff], 'utf-16be'],
];

function wrap(encoding: Encoding, hasMark: boolean, text: string | null): UnicodeText | null {
  return text === null ? null : { encoding, hasMark, text };
}

/**
 * Returns whether a text has control characters that the WHATWG's MIME sniffing standard calls binary. It allows those
 * that DOS programs write at the end of a text.
 */
export function hasControls(text: string): boolean {
  return BINARY.test(text);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: it has to match control characters
const BINARY = /[\0-\x08\x0b\x0e-\x19\x1c-\x1f]|\x1a(?=[^\x1a])/;

/** Decodes UTF-32 or UTF-16 without a byte order mark. */
function decodeWide(bytes: Uint8Array, hint: TextHint): UnicodeText | null {
  for (const width of ['utf-32', 'utf-16'] as const) {
    const read = (['le', 'be'] as const).map((order) => {
      const encoding = `${width}${order}` as const;
      const text = decode(bytes, encoding, hint);
      const isLikely = text !== null && isClean(text) && (hint.isText || isProved(text));
      return isLikely ? { encoding, hasMark: false, text } : null;
    });
    const found = read
      .filter((one) => one !== null)
      .sort((a, b) => countNear(b.text) - countNear(a.text));
    if (found[0] !== undefined) return found[0];
  }
  return null;
}

/** Returns whether all characters are assigned, and none is a control character or private. */
function isClean(text: string): boolean {
  return text.length > 1 && !hasControls(text) && !/[\x7f-\x9f\p{Cn}\p{Co}\p{Cs}]/u.test(text);
}

/** Returns whether a text has a character of ASCII, as nearly all have, and is in few alphabets, or in one of East Asia. */
function isProved(text: string): boolean {
  if (!/[\t\n\r -~]/.test(text)) return false;
  return countNear(text) * 2 >= text.length || isEastAsian(text);
}

/** Returns whether a text is in Chinese, Japanese or Korean, beside ASCII; with no katakana of half the width. */
export function isEastAsian(text: string): boolean {
  return !NOT_EAST_ASIAN.test(text);
}

const NOT_EAST_ASIAN =
  /[^\s!-~\p{Script=Han}\p{Script=Hangul}\u2010-\u203f\u3000-\u30ff\uff01-\uff5e\uffe0-\uffe6]/u;

/** Counts the characters that are ASCII, or in the same block of 256 as the one before. */
function countNear(text: string): number {
  let near = 0;
  let block = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x80 || code >> 8 === block) near++;
    if (code >= 0x80) block = code >> 8;
  }
  return near;
}

function decode(bytes: Uint8Array, encoding: Encoding, hint: TextHint): string | null {
  if (encoding === 'utf-32le' || encoding === 'utf-32be') return decode32(bytes, encoding, hint);
  try {
    const decoder = new TextDecoder(encoding, { fatal: true, ignoreBOM: true });
    return decoder.decode(bytes, { stream: !hint.isWhole });
  } catch {
    return null;
  }
}

/** Decodes UTF-32, which `TextDecoder` does not know. */
function decode32(bytes: Uint8Array, encoding: Encoding, { isWhole }: TextHint): string | null {
  if (isWhole && bytes.length % 4 !== 0) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const parts: string[] = [];
  for (let at = 0; at + 4 <= bytes.length; at += 4) {
    const code = view.getUint32(at, encoding === 'utf-32le');
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return null;
    parts.push(String.fromCodePoint(code));
  }
  return parts.join('');
}
