/** Whether a browser is to show something or to save it. */
export type DispositionType = 'inline' | 'attachment';

/**
 * A Content-Disposition header (RFC 6266) that names the file: in ASCII, and where that is not the name itself,
 * in UTF-8 (RFC 8187) behind it, which every browser prefers. Any string makes a valid header.
 *
 * The package `content-disposition` was tried: it writes `filename=a.png` without quotes, which scripts that look for
 * `filename="` do not find, and makes `??.png` of what is not ASCII; without both, one line of it would be left.
 */
export function contentDisposition(type: DispositionType, filename: string): string {
  const name = filename.toWellFormed();
  const ascii = toAscii(name);
  const plain = `${type}; filename="${ascii}"`;
  return ascii === name ? plain : `${plain}; filename*=UTF-8''${encodeExtended(name)}`;
}

/**
 * Letters lose their accents, anything else becomes `_`. So do `"` and `\`, which not every client reads back
 * from a quoted string, and `%`, which some decode (RFC 6266, appendix D).
 */
function toAscii(name: string): string {
  return name
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .normalize('NFC')
    .replace(/[^\x20-\x7e]|["\\%]/gu, '_');
}

/** RFC 8187 §3.2.1: what `encodeURIComponent` leaves, without the four characters that are no `attr-char`. */
function encodeExtended(name: string): string {
  return encodeURIComponent(name).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
