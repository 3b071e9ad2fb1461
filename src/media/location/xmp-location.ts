import { type Patch, spaces } from './patch.ts';

/**
 * The local names of properties that say where something was recorded: those of EXIF, of Photoshop, of IPTC Core and
 * Extension, and of drones. Prefixes are chosen by the writer and do not count.
 */
const LOCATION =
  /^(?:gps.*|latitude|long?titude|longtitude|(?:absolute|relative)?altitude|city|state|province-?state|country-?(?:code|name)?|(?:shot)?location.*|sub-?location|worldregion)$/i;

/** A hint of location in text that cannot be parsed. */
const HINT = /gps|latitude|altitude|location|city|state|country/i;

/**
 * Returns the patches that remove location from an XMP packet, as spaces in place of whole elements and attributes. A
 * packet that is not well-formed, or in UTF-16 or UTF-32, is removed whole if it seems to have a location.
 */
export function findInXmp(packet: Buffer): Patch[] {
  const text = packet.toString('latin1');
  const patches = packet.subarray(0, 64).includes(0) ? null : findInXml(text);
  if (patches !== null) return patches;
  return HINT.test(text.replaceAll('\0', '')) ? [spaces(0, packet.length)] : [];
}

/** Returns null for text that is not well-formed. */
function findInXml(text: string): Patch[] | null {
  const patches: Patch[] = [];
  let at = 0;
  for (;;) {
    const start = text.indexOf('<', at);
    if (start < 0) return patches;
    const tag = readTag(text, start);
    if (tag === null) return null;
    at = tag.end;
    if (tag.kind !== 'open' && tag.kind !== 'empty') continue;
    if (!isLocation(tag.name)) {
      patches.push(...attributesOf(text, tag));
      continue;
    }
    const end = tag.kind === 'empty' ? tag.end : endOfElement(text, tag);
    if (end === null) return null;
    patches.push(spaces(start, end - start));
    at = end;
  }
}

function isLocation(name: string): boolean {
  return LOCATION.test(name.slice(name.indexOf(':') + 1));
}

interface Tag {
  kind: 'open' | 'close' | 'empty' | 'other';
  name: string;
  /** Where the attributes begin, and where the tag ends. */
  attributesAt: number;
  end: number;
}

/** Markup without attributes, by its beginning: the end that it has. */
const OTHERS = [
  ['<!--', '-->'],
  ['<![CDATA[', ']]>'],
  ['<?', '?>'],
] as const;

const NAME = /[^\s<>/="']+/y;

function readTag(text: string, start: number): Tag | null {
  for (const [begin, end] of OTHERS) {
    if (!text.startsWith(begin, start)) continue;
    const at = text.indexOf(end, start + begin.length);
    if (at < 0) return null;
    return { kind: 'other', name: '', attributesAt: at, end: at + end.length };
  }
  const isClose = text[start + 1] === '/';
  NAME.lastIndex = start + (isClose ? 2 : 1);
  const name = NAME.exec(text)?.[0];
  if (name === undefined) return null;
  const end = endOfTag(text, NAME.lastIndex);
  if (end === null) return null;
  const kind = isClose ? 'close' : text[end - 2] === '/' ? 'empty' : 'open';
  return { kind, name, attributesAt: NAME.lastIndex, end };
}

const QUOTE_OR_END = /["'<>]/g;

/** Returns where a tag ends. A value in quotes may contain a `>`. */
function endOfTag(text: string, from: number): number | null {
  let at = from;
  for (;;) {
    QUOTE_OR_END.lastIndex = at;
    const found = QUOTE_OR_END.exec(text);
    if (found === null || found[0] === '<') return null;
    if (found[0] === '>') return found.index + 1;
    const close = text.indexOf(found[0], found.index + 1);
    if (close < 0) return null;
    at = close + 1;
  }
}

/** Returns where an element ends: with the tag that closes it, not one that is nested in it. */
function endOfElement(text: string, { name, end }: Tag): number | null {
  let depth = 1;
  let at = end;
  for (;;) {
    const start = text.indexOf('<', at);
    const tag = start < 0 ? null : readTag(text, start);
    if (tag === null) return null;
    at = tag.end;
    if (tag.name !== name) continue;
    if (tag.kind === 'open') depth++;
    if (tag.kind === 'close' && --depth === 0) return at;
  }
}

/** Begins at the first letter of a name only: otherwise a name of n letters takes n² steps. */
const ATTRIBUTE = /(?<![^\s<>/="'])([^\s<>/="']+)\s*=\s*(?:"[^"]*"|'[^']*')/g;

function attributesOf(text: string, { attributesAt, end }: Tag): Patch[] {
  const patches: Patch[] = [];
  for (const { 0: whole, 1: name = '', index } of text
    .slice(attributesAt, end)
    .matchAll(ATTRIBUTE)) {
    if (name.startsWith('xmlns') || !isLocation(name)) continue;
    patches.push(spaces(attributesAt + index, whole.length));
  }
  return patches;
}
