import { isUtf8 } from 'node:buffer';

/**
 * Returns the text of a header's value. Node and undici decode each byte as one character; senders mean UTF-8, or with
 * older software ISO 8859-1. Bytes that are valid UTF-8 are hardly ever meant as anything else.
 */
export function headerText(value: string): string {
  const bytes = Buffer.from(value, 'latin1');
  return isUtf8(bytes) ? bytes.toString() : value;
}

/** Returns the value of a header before its parameters, in lower case. */
export function mediaTypeOf(value: string): string {
  return (value.split(';', 1)[0] ?? '').trim().toLowerCase();
}

/**
 * Returns the parameters of a header's value by lower-case name (RFC 9110 §5.6.6). The last of a repeated name counts.
 */
export function parseParameters(value: string): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const [, name = '', quoted, token = ''] of value.matchAll(PARAMETER)) {
    // Other backslashes belong to a path that some browsers send, `C:\photos\a.jpg`.
    const text = quoted?.replace(/\\(["\\])/g, '$1') ?? token.trim();
    parameters.set(name.toLowerCase(), text);
  }
  return parameters;
}

/**
 * Some senders write quotes within a name as they are: `filename="a "b" c.png"`. So the closing quote is the one that
 * the next parameter follows, or the end.
 */
const PARAMETER =
  /;\s*([^\s=;"]+)\s*=\s*(?:"((?:[^"\\]|\\.|"(?!\s*(?:;\s*(?:[^\s=;"]+\s*=|$)|$)))*)"|([^;]*))/g;

/**
 * Returns the file name of a Content-Disposition without any path before it. Returns null without a file name.
 * `filename*` wins over `filename` (RFC 6266 §4.3).
 */
export function parseFilename(disposition: string): string | null {
  return filenameOf(parseParameters(disposition));
}

/** Returns the file name that these parameters give, as `parseFilename`. */
export function filenameOf(parameters: ReadonlyMap<string, string>): string | null {
  const extended = parseExtended(parameters.get('filename*'));
  const plain = parameters.get('filename');
  const sent = extended ?? decodeWords(plain) ?? (plain && unescapeForm(plain));
  return sent?.slice(Math.max(sent.lastIndexOf('/'), sent.lastIndexOf('\\')) + 1) ?? null;
}

/**
 * Decodes an extended value of RFC 8187, `UTF-8''na%C3%AFve.txt`. Null if it is malformed, or its charset is unknown.
 */
function parseExtended(value: string | undefined): string | null {
  const [, charset, text = ''] = /^([\w-]+)'[^']*'(.*)$/.exec(value ?? '') ?? [];
  if (charset === undefined || /%(?![\da-f]{2})/i.test(text)) return null;
  return decode(charset, Buffer.from(text.replace(/%(..)/g, fromHex), 'latin1'));
}

/**
 * Decodes the three characters that a form escapes in a name: WHATWG HTML, "multipart/form-data encoding algorithm".
 */
export function unescapeForm(name: string): string {
  return name.replace(/%(22|0D|0A)/gi, (code) => decodeURIComponent(code));
}

const WORD = /=\?([\w-]+)(?:\*[\w-]*)?\?([bq])\?([^?\s]*)\?=/gi;
const WORDS = new RegExp(`^${WORD.source}(?:\\s+${WORD.source})*$`, 'i');

/**
 * Decodes encoded words of RFC 2047 §2, `=?utf-8?B?QmzDpS5wbmc=?=`, which .NET writes. Null unless the text consists of
 * such words alone.
 */
function decodeWords(text: string | undefined): string | null {
  if (text === undefined || !WORDS.test(text)) return null;
  const [, charset = ''] = WORDS.exec(text) ?? [];
  const bytes = [...text.matchAll(WORD)].map(([, , encoding, content = '']) =>
    encoding?.toLowerCase() === 'b' ? Buffer.from(content, 'base64') : decodeQ(content),
  );
  // All words at once: a character may be cut between two.
  return decode(charset, Buffer.concat(bytes));
}

/** Decodes the `Q` encoding. RFC 2047 §4.2: an underscore is a space, whatever the charset. */
function decodeQ(content: string): Buffer {
  const text = content.replaceAll('_', ' ').replace(/=([0-9a-f]{2})/gi, fromHex);
  return Buffer.from(text, 'latin1');
}

function fromHex(_: string, hex: string): string {
  return String.fromCharCode(Number.parseInt(hex, 16));
}

/** Decodes bytes. Null for an unknown charset, and for bytes that are invalid in it. */
function decode(charset: string, bytes: Buffer): string | null {
  try {
    return new TextDecoder(charset, { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}
