/** `inline`: a browser shows the file; `attachment`: it saves the file. */
export type DispositionType = 'inline' | 'attachment';

/**
 * Returns a Content-Disposition header (RFC 6266) with the file's name: in ASCII, and if that
 * differs from the name, also in UTF-8 (RFC 8187), which every browser prefers. Any string gives a
 * valid header.
 *
 * The package `content-disposition` was tried: it writes `filename=a.png` without quotes, which
 * scripts that search for `filename="` do not find, and turns names that are not ASCII into
 * `??.png`. Working around both would leave one line of it in use.
 */
export function contentDisposition(type: DispositionType, filename: string): string {
  const name = filename.toWellFormed();
  const ascii = toAscii(name);
  const plain = `${type}; filename="${ascii}"`;
  return ascii === name ? plain : `${plain}; filename*=UTF-8''${encodeExtended(name)}`;
}

/**
 * Removes the accents of letters, and replaces any other character by `_`. Also replaces `"` and `\`, which some
 * clients do not read back from a quoted string, and `%`, which some decode (RFC 6266, appendix D).
 */
function toAscii(name: string): string {
  return name
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .normalize('NFC')
    .replace(/[^\x20-\x7e]|["\\%]/gu, '_');
}

/** Percent-encodes a name. RFC 8187 §3.2.1: four characters that `encodeURIComponent` keeps are not `attr-char`. */
function encodeExtended(name: string): string {
  return encodeURIComponent(name).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
