import { isUtf8 } from 'node:buffer';

/** Returns the text of a header's value, of which Node and undici decode each byte as one character. */
export function headerText(value: string): string {
  return textOf(Buffer.from(value, 'latin1'));
}

/**
 * Returns the text of bytes that a client has sent without their charset: UTF-8, or with older software windows-1252,
 * which has all letters of ISO 8859-1. Bytes that are valid UTF-8 are hardly ever meant as anything else.
 */
export function textOf(bytes: Buffer): string {
  return isUtf8(bytes) ? bytes.toString() : WINDOWS_1252.decode(bytes);
}

const WINDOWS_1252 = new TextDecoder('windows-1252');

/** Returns the value of a header before its parameters, in lower case. */
export function mediaTypeOf(value: string): string {
  return (value.split(';', 1)[0] ?? '').trim().toLowerCase();
}

/**
 * Returns the parameters of a header's value by lower-case name (RFC 9110 §5.6.6). The last of a repeated name counts.
 */
export function parseParameters(value: string): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const [, name = '', closed, open, token = ''] of value.matchAll(PARAMETER)) {
    // Other backslashes belong to a path that some browsers send, `C:\photos\a.jpg`.
    const text = (closed ?? open?.trim())?.replace(/\\(["\\])/g, '$1') ?? token.trim();
    parameters.set(name.toLowerCase(), text);
  }
  return parameters;
}

/**
 * Some senders write quotes within a name as they are: `filename="a "b" c.png"`. So the closing quote is the one that
 * the next parameter follows, or the end. A value whose quote is never closed ends there as well.
 */
const PARAMETER =
  /;\s*([^\s=;"]+)\s*=\s*(?:"((?:[^"\\]|\\.|"(?!\s*(?:;\s*(?:[^\s=;"]+\s*=|$)|$)))*)"|"((?:[^;]|;(?!\s*(?:[^\s=;"]+\s*=|$)))*)|([^;]*))/g;

/**
 * Returns the file name of a Content-Disposition without any path before it. Returns null without a file name.
 * `filename*` wins over `filename` (RFC 6266 §4.3).
 */
export function parseFilename(disposition: string): string | null {
  return filenameOf(parseParameters(disposition));
}

/** Returns the file name that these parameters give, as `parseFilename`. */
export function filenameOf(parameters: ReadonlyMap<string, string>): string | null {
  const given = parameters.get('filename*') ?? joinContinued(parameters);
  const plain = parameters.get('filename');
  const sent =
    parseExtended(given) ??
    decodeWords(plain) ??
    (plain && unescapeForm(plain)) ??
    given?.slice(given.lastIndexOf("'") + 1);
  return sent?.slice(Math.max(sent.lastIndexOf('/'), sent.lastIndexOf('\\')) + 1) ?? null;
}

/**
 * Joins the parts of a long name as software for e-mail writes them (RFC 2231 §3): `filename*0*=UTF-8''na%C3%AF;
 * filename*1="ve.txt"`. Returns them as one extended value.
 */
function joinContinued(parameters: ReadonlyMap<string, string>): string | undefined {
  let joined: string | undefined;
  for (let part = 0; ; part++) {
    const encoded = parameters.get(`filename*${part}*`);
    const plain = parameters.get(`filename*${part}`)?.replaceAll('%', '%25');
    if (encoded === undefined && plain === undefined) return joined;
    joined = (joined ?? (encoded === undefined ? "UTF-8''" : '')) + (encoded ?? plain);
  }
}

/**
 * Decodes an extended value of RFC 8187, `UTF-8''na%C3%AFve.txt`, also if letters beyond ASCII are not encoded. Null if
 * it is malformed, or its charset is unknown.
 */
function parseExtended(value: string | undefined): string | null {
  const [, charset, text = ''] = /^([\w-]+)'[^']*'(.*)$/.exec(value ?? '') ?? [];
  if (charset === undefined || /%(?![\da-f]{2})/i.test(text)) return null;
  const bytes = text
    .split(/(%..)/)
    .map((piece) =>
      piece.startsWith('%') ? Buffer.from(piece.slice(1), 'hex') : Buffer.from(piece),
    );
  return decode(charset, Buffer.concat(bytes));
}

/**
 * Decodes the three characters that a form escapes in a name: WHATWG HTML, "multipart/form-data encoding algorithm".
 */
export function unescapeForm(name: string): string {
  return name.replace(/%(22|0D|0A)/gi, (code) => decodeURIComponent(code));
}

const WORD = /=\?([\w-]+)(?:\*[\w-]*)?\?([bq])\?([^?]*)\?=/gi;
/** Spaces between two words are no part of the text. */
const WORDS = new RegExp(`${WORD.source}(?:\\s*${WORD.source})*`, 'gi');

/**
 * Decodes the encoded words of RFC 2047 §2 in a text, `=?utf-8?B?QmzDpQ==?=.png`: .NET encodes a whole name, and PHP
 * only the words that need it. Null for a text without any that can be decoded.
 */
function decodeWords(text: string | undefined): string | null {
  const decoded = text?.replace(WORDS, (words) => decodeRun(words) ?? words);
  return decoded === undefined || decoded === text ? null : decoded;
}

function decodeRun(text: string): string | null {
  const [, charset = ''] = new RegExp(WORD.source, 'i').exec(text) ?? [];
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
