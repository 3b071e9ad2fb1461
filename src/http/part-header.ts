/** What the header of a part says of it. */
export interface PartHeader {
  name: string;
  /** As sent, without the path that some browsers put before it; null: none was sent. */
  filename: string | null;
  /** Lower case, without parameters; null: none was sent. */
  mediaType: string | null;
}

/** The header lines of one part of `multipart/form-data`. Null for a part that is no field of a form. */
export function parsePartHeader(text: string): PartHeader | null {
  // RFC 5322 §2.2.3: a line that begins with space goes on with the one before.
  const lines = text.replace(/\r\n[ \t]+/g, ' ').split('\r\n');
  const disposition = headerValue(lines, 'content-disposition');
  if (disposition === null || mediaTypeOf(disposition) !== 'form-data') return null;
  const parameters = parseParameters(disposition);
  const name = parameters.get('name');
  if (name === undefined) return null;
  const contentType = headerValue(lines, 'content-type');
  return {
    name,
    filename: filenameOf(parameters),
    mediaType: contentType && mediaTypeOf(contentType),
  };
}

/** The value of a header before its parameters, in lower case. */
export function mediaTypeOf(value: string): string {
  return (value.split(';', 1)[0] ?? '').trim().toLowerCase();
}

/** The parameters of a header's value by lower-case name: RFC 9110 §5.6.6. Of a repeated one the last counts. */
export function parseParameters(value: string): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const [, name = '', quoted, token = ''] of value.matchAll(PARAMETER)) {
    // Only these two: other backslashes are a browser's path, `C:\photos\a.jpg`.
    const text = quoted?.replace(/\\(["\\])/g, '$1') ?? token.trim();
    parameters.set(name.toLowerCase(), text);
  }
  return parameters;
}

const PARAMETER = /;\s*([^\s=;"]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;]*))/g;

function headerValue(lines: readonly string[], name: string): string | null {
  const line = lines.find((line) => line.toLowerCase().startsWith(`${name}:`));
  return line?.slice(name.length + 1).trim() ?? null;
}

/** The file name of a Content-Disposition, without a path before it; null: it has none. */
export function parseFilename(disposition: string): string | null {
  return filenameOf(parseParameters(disposition));
}

function filenameOf(parameters: ReadonlyMap<string, string>): string | null {
  const extended = parseExtended(parameters.get('filename*'));
  const plain = parameters.get('filename');
  const sent = extended ?? decodeWords(plain) ?? (plain && unescapeForm(plain));
  return sent?.slice(Math.max(sent.lastIndexOf('/'), sent.lastIndexOf('\\')) + 1) ?? null;
}

/** RFC 8187: `UTF-8''na%C3%AFve.txt`, which wins over `filename` wherever it is one. */
function parseExtended(value: string | undefined): string | null {
  const [, charset = '', text] = /^([\w-]+)'[^']*'(.*)$/.exec(value ?? '') ?? [];
  if (text === undefined || charset.toLowerCase() !== 'utf-8') return null;
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

/** WHATWG HTML, "multipart/form-data encoding algorithm": these three characters of a name are escaped. */
export function unescapeForm(name: string): string {
  return name.replace(/%(22|0D|0A)/gi, (code) => decodeURIComponent(code));
}

const WORD = /=\?([\w-]+)(?:\*[\w-]*)?\?([bq])\?([^?\s]*)\?=/gi;
const WORDS = new RegExp(`^${WORD.source}(?:\\s+${WORD.source})*$`, 'i');

/** RFC 2047 §2: `=?utf-8?B?QmzDpS5wbmc=?=`, which .NET writes. Null for what is not made of such words alone. */
function decodeWords(text: string | undefined): string | null {
  if (text === undefined || !WORDS.test(text)) return null;
  try {
    // One decoder for all: a character may be cut between two words.
    const [, charset] = WORDS.exec(text) ?? [];
    const bytes = [...text.matchAll(WORD)].map(([, , encoding, content = '']) =>
      encoding?.toLowerCase() === 'b' ? Buffer.from(content, 'base64') : decodeQ(content),
    );
    return new TextDecoder(charset, { fatal: true }).decode(Buffer.concat(bytes));
  } catch {
    return null;
  }
}

/** RFC 2047 §4.2: an underscore is a space, whatever the charset. */
function decodeQ(content: string): Buffer {
  const text = content
    .replaceAll('_', ' ')
    .replace(/=([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(text, 'latin1');
}
