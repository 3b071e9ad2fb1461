import { fileExtension } from '../lib/filename.ts';
import { detectMarkup, type Markup } from './markup.ts';
import { describeType, type Sniffed } from './mime-type.ts';

/**
 * Returns the type of a file whose beginning, `head`, is text; `null` when it is not. Text is
 * UTF-8, UTF-16 with a byte order mark, or an older 8-bit encoding, without the control characters
 * that the WHATWG's MIME sniffing standard calls binary. `isWhole` says that `head` is the whole
 * file, so that a character cut off at its end is an error.
 *
 * Callers check for text before binary formats: every binary format has a control character near
 * its start, while the magic numbers of several formats are words. "BMW", "SQLite for beginners"
 * and "MAC address" would otherwise be a BMP, a database and a sound.
 */
export function sniffText(head: Uint8Array, isWhole: boolean, filename?: string): Sniffed | null {
  const utf = decodeUtf(head, isWhole);
  const text = utf ?? new TextDecoder('latin1').decode(head);
  if (BINARY.test(text)) return null;
  const markup = detectMarkup(text);
  if (markup !== null) return describeType(...MARKUP[markup], filename);
  const signed = SIGNATURES.find(([signature]) => signature.test(text.replace(/^\ufeff/, '')));
  if (signed) return describeType(signed[1], signed[2], filename);
  if (isLatePdf(head)) return describeType('application/pdf', 'pdf', filename);
  const plain = describeType('text/plain', 'txt', filename);
  if (utf !== null && /^\ufeff?\s*[[{]/.test(text)) return jsonType(filename) ?? plain;
  if (utf !== null) return plain;
  // Bytes above 127 in an unknown encoding prove little by themselves, so the filename decides:
  // Excel still writes CSV in such encodings.
  return isNamedAs(plain, filename) ? plain : null;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: it has to match control characters
const BINARY = /[\0-\x08\x0b\x0e-\x1a\x1c-\x1f]/;

const MARKUP: Readonly<Record<Markup, [mimeType: string, extension: string]>> = {
  svg: ['image/svg+xml', 'svg'],
  html: ['text/html', 'html'],
  xml: ['application/xml', 'xml'],
};

/** Types of JSON by extension. */
const JSON_TYPES = new Map([
  ...['json', 'map', 'har', 'topojson'].map((name) => [name, 'application/json'] as const),
  ['ipynb', 'application/x-ipynb+json'],
  ['geojson', 'application/geo+json'],
  ['jsonld', 'application/ld+json'],
  ['webmanifest', 'application/manifest+json'],
  ['jsonl', 'application/jsonl'],
  ['ndjson', 'application/x-ndjson'],
]);

/** Signatures of formats that are text themselves. */
const SIGNATURES: readonly [signature: RegExp, mimeType: string, extension: string][] = [
  [/^%PDF-\d/, 'application/pdf', 'pdf'],
  [/^\{\\rtf/, 'application/rtf', 'rtf'],
  [/^%!PS/, 'application/postscript', 'ps'],
  [/^WEBVTT(?:\s|$)/, 'text/vtt', 'vtt'],
  [/^#EXTM3U(?:\s|$)/, 'application/vnd.apple.mpegurl', 'm3u8'],
  [/^BEGIN:VCARD\s/, 'text/vcard', 'vcf'],
  [/^BEGIN:VCALENDAR\s/, 'text/calendar', 'ics'],
];

/** Decodes `head` as UTF-8, or as UTF-16 after a byte order mark; `null` when it is neither. */
function decodeUtf(head: Uint8Array, isWhole: boolean): string | null {
  const mark = ((head[0] ?? 0) << 8) | (head[1] ?? 0);
  const encoding = mark === 0xfffe ? 'utf-16le' : mark === 0xfeff ? 'utf-16be' : 'utf-8';
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(head, { stream: !isWhole });
  } catch {
    return null;
  }
}

/** Returns the type of a text that begins as JSON does; null if its name is none of JSON. */
function jsonType(filename: string | undefined): Sniffed | null {
  const extension = fileExtension(filename ?? '') ?? '';
  const mimeType = JSON_TYPES.get(extension);
  return mimeType === undefined ? null : describeType(mimeType, extension);
}

/**
 * Returns whether a PDF begins after other bytes. Readers accept its header anywhere in the first 1,024 bytes (ISO
 * 32000-1, Annex H, note 13). A text that only mentions the header is no PDF: an object has to follow the header.
 */
export function isLatePdf(head: Uint8Array): boolean {
  const text = Buffer.from(head.buffer, head.byteOffset, head.length).toString('latin1');
  const at = text.slice(0, 1024 + 8).search(/%PDF-\d\.\d/);
  return at !== -1 && at <= 1024 && /[\r\n]\d+ \d+ obj\b/.test(text.slice(at));
}

function isNamedAs(type: Sniffed, filename: string | undefined): boolean {
  return type.extension !== null && fileExtension(filename ?? '') === type.extension;
}
