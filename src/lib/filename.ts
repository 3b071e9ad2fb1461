import { tidy, toNfc } from './name.ts';
import { withStem } from './unnamed-file.ts';

const NAME_BYTES_MAX = 255;
const URL_NAME_LENGTH_MAX = 100;
/** Includes the dot. Keeping a longer extension would cut the wrong part of the name. */
const EXTENSION_LENGTH_MAX = 20;
/** Each half holds more than 255 bytes, so this cut loses nothing that the final cut would keep. */
const RAW_HALF_LENGTH = 512;

/**
 * Returns the name that a file is shown and downloaded under: the last component of `raw` (both `/` and `\`
 * separate components), in NFC, at most 255 bytes of UTF-8, cut between graphemes, with its extension kept.
 * Keeps every script. Removes control characters, line separators, dots and spaces at either end, and what
 * `removeInvisible` removes. Replaces lone surrogates by U+FFFD. Keeps one dot at the beginning (`.gitignore`), and
 * puts a stem before a bare extension (`withStem`).
 *
 * Keeps `"`, `<`, `:` and names such as `CON`: the result never becomes a path on this server, browsers replace the
 * characters that their system cannot store, and a header must quote the name anyway. Cleaning twice changes nothing.
 *
 * Returns `''` when nothing is left (`'...'`, `'folder/'`); the caller picks a default.
 */
export function cleanFilename(raw: string): string {
  const name = tidy(toNfc(shorten(lastComponent(raw)).replace(CONTROLS, '')), SURROUNDING);
  return cutToBytes(withStem(name));
}

/**
 * Returns the extension of a file name, in lower case and without the dot. Returns `null` without an extension, when
 * the dot is the first character, and when the text after it cannot be an extension (`Mr. Smith`, or more than 19
 * characters).
 */
export function fileExtension(name: string): string | null {
  const [, extension] = splitExtension(lastComponent(name));
  return extension === '' ? null : extension.slice(1).toLowerCase();
}

/**
 * Returns the file's name in its URL, by Heartcore's contract (§5.7): lower case, only ASCII letters, digits, `_`, `-`
 * and `.`, at most 100 characters with the extension kept. Any other character becomes `-`; runs of `-` and of `.`
 * collapse, and neither comes first or last. Never empty (then `file`), `.` or `..`. The result needs no escaping in a
 * URL, and applying the function again changes nothing.
 */
export function urlFilename(name: string): string {
  const [stem, extension] = splitExtension(transliterate(cleanFilename(name)));
  const safeExtension = toUrlSafe(extension);
  const suffix = safeExtension === '' ? '' : `.${safeExtension}`;
  const safeStem = toUrlSafe(stem).slice(0, URL_NAME_LENGTH_MAX - suffix.length);
  return (trimHyphens(safeStem) || 'file') + suffix;
}

function lastComponent(path: string): string {
  return path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);
}

const CONTROLS = /[\p{Cc}\p{Zl}\p{Zp}]/gu;
/** A dot directly before a name is a part of it. */
const SURROUNDING = /^(?:[\p{Zs}\u2800]|\.(?=[.\p{Zs}\u2800]|$))+|[.\p{Zs}\u2800]+$/gu;

/** Shortens a name before normalizing and the patterns below, which are quadratic in the worst case. */
function shorten(name: string): string {
  if (name.length <= 2 * RAW_HALF_LENGTH) return name;
  return name.slice(0, RAW_HALF_LENGTH) + name.slice(-RAW_HALF_LENGTH);
}

/** Splits a name into its stem and its extension, with the dot, or `''`. */
function splitExtension(name: string): [stem: string, extension: string] {
  const dot = name.lastIndexOf('.');
  const length = name.length - dot;
  if (dot <= 0 || length < 2 || length > EXTENSION_LENGTH_MAX) return [name, ''];
  const extension = name.slice(dot);
  return /\s/.test(extension) ? [name, ''] : [name.slice(0, dot), extension];
}

function cutToBytes(name: string): string {
  if (byteLength(name) <= NAME_BYTES_MAX) return name;
  const [stem, extension] = splitExtension(name);
  return tidy(firstBytes(stem, NAME_BYTES_MAX - byteLength(extension)), SURROUNDING) + extension;
}

/**
 * Returns the longest beginning of whole graphemes; of whole code points if the first grapheme alone is too long.
 */
function firstBytes(text: string, bytesMax: number): string {
  const graphemes = new Intl.Segmenter('und', { granularity: 'grapheme' }).segment(text);
  const whole = Array.from(graphemes, (grapheme) => grapheme.segment);
  return takeBytes(whole, bytesMax) || takeBytes([...text], bytesMax);
}

function takeBytes(pieces: readonly string[], bytesMax: number): string {
  let bytes = 0;
  const end = pieces.findIndex((piece) => {
    bytes += byteLength(piece);
    return bytes > bytesMax;
  });
  return pieces.slice(0, end === -1 ? undefined : end).join('');
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}

/**
 * The contract lists å, ø, ü, æ and ß. ä and ö follow the same convention. The others have no diacritic that
 * normalising could remove, and would become `-`.
 */
const SPELLED: Readonly<Record<string, string>> = {
  ...{ å: 'aa', ø: 'oe', ü: 'ue', æ: 'ae', ß: 'ss', ä: 'ae', ö: 'oe' },
  ...{ œ: 'oe', ł: 'l', đ: 'd', ð: 'd', þ: 'th', ı: 'i' },
};

function transliterate(name: string): string {
  const spelled = name
    .toLowerCase()
    .replace(/[^\0-\x7f]/gu, (character) => SPELLED[character] ?? character);
  return spelled.normalize('NFD').replace(/\p{M}/gu, '');
}

function toUrlSafe(name: string): string {
  return trimHyphens(name.replace(/[^a-z0-9_.]+/g, '-').replace(/-*\.[-.]*/g, '.'));
}

function trimHyphens(name: string): string {
  return name.replace(/^[-.]+|[-.]+$/g, '');
}

/** Names that Windows gives to devices, whatever follows a dot. */
const DEVICES = /^(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(?=\.|$)/i;

/** Returns a filename that is not the name of a device of Windows. */
export function withoutDevice(filename: string): string {
  return filename.replace(DEVICES, '_$1');
}
