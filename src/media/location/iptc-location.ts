import { type Patch, spaces, zeros } from './patch.ts';

/**
 * The datasets of record 2 that name a place (IPTC-NAA IIM 4.2 §6): codes and names of a location, city, part of it,
 * province, code and name of the country.
 */
const LOCATION: ReadonlySet<number> = new Set([26, 27, 90, 92, 95, 100, 101]);

/** Begins each dataset. */
const MARKER = 0x1c;

/** Returns the patches that blank the names of places in IPTC datasets. What follows damaged datasets is removed. */
export function findInIptc(bytes: Buffer): Patch[] {
  const patches: Patch[] = [];
  let at = 0;
  while (at < bytes.length) {
    const start = at + 5;
    const size = bytes[at] === MARKER && start <= bytes.length ? bytes.readUInt16BE(at + 3) : -1;
    // The highest bit begins a length of several bytes, which no program writes.
    if (size < 0 || size > 0x7fff || start + size > bytes.length) {
      return [...patches, zeros(at, bytes.length - at)];
    }
    if (bytes[at + 1] === 2 && LOCATION.has(bytes[at + 2] ?? 0)) patches.push(spaces(start, size));
    at = start + size;
  }
  return patches;
}
