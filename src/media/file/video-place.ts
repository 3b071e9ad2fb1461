import type { MetadataTags } from 'mediabunny';
import type { Findings } from './details.ts';

type RawTags = NonNullable<MetadataTags['raw']>;
type Place = Pick<Findings, 'latitude' | 'longitude' | 'altitudeM'>;

/**
 * Returns the first of the tags that is a text; undefined if none is. An atom of QuickTime's user data begins with the
 * length of the text and its language, two bytes each.
 */
export function textOf(raw: RawTags, ...names: string[]): string | undefined {
  for (const name of names) {
    const value = raw[name];
    if (typeof value === 'string') return value;
    if (value instanceof Uint8Array) return Buffer.from(value.subarray(4)).toString();
  }
  return undefined;
}

/** Returns where a video was taken, by the tags of Apple, of Android, or of 3GPP. */
export function placeOf(raw: RawTags): Place {
  const text = textOf(raw, 'com.apple.quicktime.location.ISO6709', '©xyz');
  if (text !== undefined) return parsePlace(text);
  return raw.loci instanceof Uint8Array ? readLoci(raw.loci) : {};
}

/** Reads a place as ISO 6709 writes it in degrees: `+52.5200+013.4000+034.500/`. */
function parsePlace(text: string): Place {
  const match = /^([+-]\d{1,2}(?:\.\d+)?)([+-]\d{1,3}(?:\.\d+)?)([+-]\d+(?:\.\d+)?)?/.exec(text);
  if (match === null) return {};
  const [, latitude, longitude, altitude] = match;
  return {
    latitude: Number(latitude),
    longitude: Number(longitude),
    altitudeM: altitude === undefined ? undefined : Number(altitude),
  };
}

/** Reads the location box of 3GPP TS 26.244 §8.2: a name, a byte, then three numbers of 16 bits before the point. */
function readLoci(bytes: Uint8Array): Place {
  const name = 6;
  const end = bytes.indexOf(0, name);
  if (end < 0 || bytes.length < end + 14) return {};
  const view = new DataView(bytes.buffer, bytes.byteOffset + end + 2, 12);
  const [longitude, latitude, altitudeM] = [0, 4, 8].map((at) => view.getInt32(at) / 65_536);
  return { latitude, longitude, altitudeM };
}
