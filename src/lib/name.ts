/**
 * Returns a text in NFC: the letters of a name compare as equal whichever system typed them. macOS writes `é` as two
 * characters, and other systems as one. Replaces lone surrogates, which UTF-8 cannot carry, by U+FFFD.
 */
export function toNfc(text: string): string {
  return text.toWellFormed().normalize('NFC');
}

/** Returns the spellings under which a name that a client chose may be stored: as it was given, then in NFC. */
export function spellingsOf(text: string): string[] {
  return [...new Set([text, toNfc(text)])];
}

/**
 * Returns a name that people gave as it is stored and compared: in NFC, without invisible characters and surrounding
 * spaces. Control characters and line separators become spaces. Returns `''` for a name that shows nothing, and a text
 * that is longer than any name as it is. Applying the function again changes nothing.
 */
export function cleanName(raw: string): string {
  // Some of the patterns below, and the order of combining marks, take quadratic time.
  if (raw.length > RAW_LENGTH_MAX) return raw;
  return tidy(toNfc(raw).replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' '), SURROUNDING);
}

/** The longest name has 255 characters. */
const RAW_LENGTH_MAX = 4096;

/** Spaces of all scripts. That of braille is a letter in Unicode. */
const SURROUNDING = /^[\s\u2800]+|[\s\u2800]+$/gu;

/**
 * Removes invisible characters and what `ends` matches, and normalizes, until nothing changes: one removal can bring
 * together characters that another one concerns.
 */
export function tidy(name: string, ends: RegExp): string {
  const trimmed = removeInvisible(name).normalize('NFC').replace(ends, '');
  return trimmed === name ? name : tidy(trimmed, ends);
}

/** Joiners, variation selectors and tags; the three patterns below keep those that are needed. */
const DEPENDENT = String.raw`[\u200c\u200d\ufe00-\ufe0f\u{e0020}-\u{e007f}\u{e0100}-\u{e01ef}]`;
const INVISIBLE = new RegExp(
  String.raw`(?!${DEPENDENT})[\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\u061c\ufff9-\ufffb]`,
  'gu',
);
/** Persian and emoji need joiners. Beside ASCII, a joiner makes another extension look like `png`. */
const STRAY_JOINER = /(?<![^\0-\x7f])(?:\u200c|\u200d)+|(?:\u200c|\u200d)+(?![^\0-\x7f])/gu;
/** In ASCII, only the digits, `#` and `*` of keycap emoji take a variation selector. */
const STRAY_SELECTOR = /(?<![^\0-\x7f]|[0-9#*])[\ufe00-\ufe0f\u{e0100}-\u{e01ef}]+/gu;
/** After a black flag, tags spell England, Scotland or Wales; elsewhere they hide text. */
const STRAY_TAG = /(?<!\u{1f3f4}[\u{e0020}-\u{e007e}]*)[\u{e0020}-\u{e007f}]/gu;

/**
 * Removes invisible characters that change how a text looks or is found: direction marks and overrides, zero-width
 * characters and fillers (`a\u202Egnp.exe` would be shown as `aexe.png`). Keeps control characters, and the joiners,
 * selectors and tags that a script or an emoji needs.
 */
export function removeInvisible(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range of ASCII.
  if (/^[\x00-\x7f]*$/.test(text)) return text;
  const patterns = [INVISIBLE, STRAY_TAG, STRAY_SELECTOR, STRAY_JOINER];
  return patterns.reduce((rest, pattern) => rest.replace(pattern, ''), text);
}
