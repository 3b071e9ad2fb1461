import { fileExtension } from '../lib/filename.ts';
import { detectMarkup, type Markup } from './markup.ts';
import { describeType, type Sniffed } from './mime-type.ts';

/**
 * What a file is if its beginning is text, else `null`. Text is UTF-8, UTF-16 with a byte order
 * mark, or an older 8-bit encoding, without the control characters that the WHATWG's MIME sniffing
 * calls binary. `isWhole`: `head` is all of the file, so that a character cut off at its end is an
 * error.
 *
 * Looked for before binary formats, because every one of those has a control character near its
 * start, and the magic numbers of several are words: "BMW", "SQLite for beginners", "MAC address"
 * are no BMP, database or sound.
 */
export function sniffText(head: Uint8Array, isWhole: boolean, filename?: string): Sniffed | null {
  const utf = decodeUtf(head, isWhole);
  const text = utf ?? new TextDecoder('latin1').decode(head);
  if (BINARY.test(text)) return null;
  const markup = detectMarkup(text);
  if (markup !== null) return describeType(...MARKUP[markup], filename);
  const signed = SIGNATURES.find(([signature]) => signature.test(text));
  if (signed) return describeType(signed[1], signed[2], filename);
  const plain = describeType('text/plain', 'txt', filename);
  if (utf !== null) return looksLikeJson(text, filename) ? describeType(...JSON_TYPE) : plain;
  // Bytes above 127 in no known encoding prove little by themselves, but Excel still writes CSV
  // that way.
  return isNamedAs(plain, filename) ? plain : null;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this is about
const BINARY = /[\0-\x08\x0b\x0e-\x1a\x1c-\x1f]/;

const MARKUP: Readonly<Record<Markup, [mimeType: string, extension: string]>> = {
  svg: ['image/svg+xml', 'svg'],
  html: ['text/html', 'html'],
  xml: ['application/xml', 'xml'],
};

const JSON_TYPE = ['application/json', 'json'] as const;

/** Formats that are themselves text. */
const SIGNATURES: readonly [signature: RegExp, mimeType: string, extension: string][] = [
  [/^%PDF-\d/, 'application/pdf', 'pdf'],
  [/^\{\\rtf/, 'application/rtf', 'rtf'],
  [/^%!PS/, 'application/postscript', 'ps'],
  [/^WEBVTT(?:\s|$)/, 'text/vtt', 'vtt'],
  [/^BEGIN:VCARD\s/, 'text/vcard', 'vcf'],
  [/^BEGIN:VCALENDAR\s/, 'text/calendar', 'ics'],
];

/** `null`: neither encoding. */
function decodeUtf(head: Uint8Array, isWhole: boolean): string | null {
  const mark = ((head[0] ?? 0) << 8) | (head[1] ?? 0);
  const encoding = mark === 0xfffe ? 'utf-16le' : mark === 0xfeff ? 'utf-16be' : 'utf-8';
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(head, { stream: !isWhole });
  } catch {
    return null;
  }
}

function looksLikeJson(text: string, filename: string | undefined): boolean {
  return fileExtension(filename ?? '') === 'json' && /^\s*[[{]/.test(text);
}

function isNamedAs(type: Sniffed, filename: string | undefined): boolean {
  return type.extension !== null && fileExtension(filename ?? '') === type.extension;
}
