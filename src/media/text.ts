import { fileExtension } from '../lib/filename.ts';
import { decodeUnicode, hasControls, hasMark, isEastAsian } from '../lib/unicode-text.ts';
import { textRasterType } from './binary.ts';
import { detectMarkup, type Markup } from './markup.ts';
import { describeType, JSON_TYPES, type Sniffed } from './mime-type.ts';

/**
 * Returns the type of a file whose beginning, `head`, is text; `null` when it is not. Text is
 * in an encoding of Unicode, or in an older one, without the control characters
 * that the WHATWG's MIME sniffing standard calls binary. `isWhole` says that `head` is the whole
 * file, so that a character cut off at its end is an error.
 *
 * Callers check for text before binary formats: every binary format has a control character near
 * its start, while the magic numbers of several formats are words. "BMW", "SQLite for beginners"
 * and "MAC address" would otherwise be a BMP, a database and a sound.
 */
export function sniffText(
  head: Uint8Array,
  { isWhole, mayBeWide = false }: TextOptions,
  filename?: string,
): Sniffed | null {
  if (!mayBeWide && startsBinary(head)) return null;
  const plain = describeType('text/plain', 'txt', filename);
  const isNamed = isNamedAs(plain, filename);
  const unicode = decodeUnicode(head, { isWhole, isText: isNamed, mayBeWide });
  const text = unicode?.text ?? new TextDecoder('latin1').decode(head);
  if (hasControls(text)) return null;
  const traits = { head, isUnicode: unicode !== null, isNamed, plain, filename };
  const sniffed = sniffDecoded(text, traits);
  return sniffed !== null && SCRIPT.test(text) ? { ...sniffed, isScript: true } : sniffed;
}

/** Number of bytes that are looked at first. */
const START_BYTES = 512;

/** Tells whether bytes without a byte order mark begin with a control character: the whole head is then not decoded. */
function startsBinary(head: Uint8Array): boolean {
  // The last character of the head may be cut off, and what is before it stands alone then.
  const start = head.subarray(0, Math.max(0, Math.min(START_BYTES, head.length - 4)));
  return !hasMark(head) && hasControls(Buffer.from(start).toString('latin1'));
}

interface TextOptions {
  isWhole: boolean;
  /** Whether the bytes are of no binary format, so that they may be UTF-16 or UTF-32 without a byte order mark. */
  mayBeWide?: boolean;
}

/** The beginnings of programs that a shell or a web server runs. */
const SCRIPT = /^\ufeff?(?:#! ?\/|\s*<\?(?:php|=)|\s*<%|@echo off)/i;

interface Traits {
  head: Uint8Array;
  /** The text is in Unicode, not in an older encoding. */
  isUnicode: boolean;
  /** The filename is one of a text. */
  isNamed: boolean;
  plain: Sniffed;
  filename: string | undefined;
}

function sniffDecoded(
  text: string,
  { head, isUnicode, isNamed, plain, filename }: Traits,
): Sniffed | null {
  const markup = detectMarkup(text);
  const isActive = markup === 'html' || markup === 'svg';
  if (!isActive && isNamedPdf(head, filename)) return describeType(...PDF, filename);
  if (markup !== null) return describeType(...MARKUP[markup], filename);
  const signed = SIGNATURES.find(([signature]) => signature.test(text));
  if (signed) return describeType(signed[1], signed[2], filename);
  if (isLatePdf(head)) return describeType(...PDF, filename);
  const raster = isNamed ? null : textRasterType(text);
  if (raster !== null) return describeType(...raster, filename);
  if (isUnicode && /^\s*[[{]/.test(text)) return jsonType(filename) ?? plain;
  if (isUnicode || isNamed) return plain;
  return isProbablyText(head) ? plain : null;
}

const MARKUP: Readonly<Record<Markup, [mimeType: string, extension: string]>> = {
  svg: ['image/svg+xml', 'svg'],
  html: ['text/html', 'html'],
  xml: ['application/xml', 'xml'],
};

/** The MIME type and the extension of PDF. */
export const PDF = ['application/pdf', 'pdf'] as const;

/** Signatures of formats that are text themselves. */
const SIGNATURES: readonly [signature: RegExp, mimeType: string, extension: string][] = [
  [/^%PDF-\d/, ...PDF],
  // The other form of a header that readers accept (ISO 32000-1, Annex H, note 14).
  [/^%!PS-Adobe-\d\.\d PDF-\d\.\d/, ...PDF],
  [/^\{\\rtf/, 'application/rtf', 'rtf'],
  [/^%!PS/, 'application/postscript', 'ps'],
  [/^WEBVTT(?:\s|$)/, 'text/vtt', 'vtt'],
  [/^#EXTM3U(?:\s|$)/, 'application/vnd.apple.mpegurl', 'm3u8'],
  [/^BEGIN:VCARD\s/, 'text/vcard', 'vcf'],
  [/^BEGIN:VCALENDAR\s/, 'text/calendar', 'ics'],
];

/** Of files of as many random bytes, one in a thousand has no control character. */
const PROOF_BYTES = 64;

/**
 * Returns whether bytes in an unknown encoding, without control characters, are text whatever their name. A short file
 * is text if most of it is ASCII, if its other bytes are letters in the encodings of Cyrillic, Chinese and Korean, or if
 * it is Shift_JIS.
 */
function isProbablyText(head: Uint8Array): boolean {
  if (head.length >= PROOF_BYTES) return true;
  const high = head.filter((byte) => byte >= 0x80);
  if (high.length * 2 < head.length) return true;
  return head.length >= 8 && (high.every((byte) => byte >= 0xa0) || isShiftJis(head));
}

function isShiftJis(head: Uint8Array): boolean {
  try {
    return isEastAsian(new TextDecoder('shift_jis', { fatal: true }).decode(head));
  } catch {
    return false;
  }
}

/** Returns the type of a text that begins as JSON does; null if its name is none of JSON. */
function jsonType(filename: string | undefined): Sniffed | null {
  const extension = fileExtension(filename ?? '') ?? '';
  if (!Object.hasOwn(JSON_TYPES, extension)) return null;
  return describeType(JSON_TYPES[extension] ?? '', extension);
}

/**
 * Returns whether a PDF begins after other bytes. Readers accept its header anywhere in the first 1,024 bytes (ISO
 * 32000-1, Annex H, note 13). A text that only mentions the header is no PDF: an object has to follow the header.
 */
export function isLatePdf(head: Uint8Array): boolean {
  return /[\r\n]\d+ \d+ obj\b/.test(pdfOf(head) ?? '');
}

/** Returns whether a file has the header of a PDF where readers look for it, and the name of one. */
export function isNamedPdf(head: Uint8Array, filename: string | undefined): boolean {
  return fileExtension(filename ?? '') === 'pdf' && pdfOf(head) !== null;
}

/** Returns the text from the header of a PDF on; null if there is none in the first 1,024 bytes. */
function pdfOf(head: Uint8Array): string | null {
  const text = Buffer.from(head.buffer, head.byteOffset, head.length).toString('latin1');
  const at = text.slice(0, 1024 + 8).search(/%PDF-\d\.\d/);
  return at === -1 || at > 1024 ? null : text.slice(at);
}

function isNamedAs(type: Sniffed, filename: string | undefined): boolean {
  return type.extension !== null && fileExtension(filename ?? '') === type.extension;
}
