/** A tag, as ExifReader reads it. */
export interface Tag {
  value?: unknown;
  description?: unknown;
}

/** The metadata of an image, by their standards. A tag may have occurred several times. */
export interface ImageTags {
  exif?: Record<string, Tag | undefined>;
  iptc?: Record<string, Tag | Tag[] | undefined>;
  xmp?: Record<string, Tag | undefined>;
  gps?: { Latitude?: number; Longitude?: number; Altitude?: number };
}

/** More of a text is not shown. */
const LENGTH_MAX = 5000;

/** Returns the text of a tag, or of each of its occurrences; undefined if there is none. */
export function textOf(tag: Tag | Tag[] | undefined): string | undefined {
  if (Array.isArray(tag)) {
    const texts = tag.slice(0, 20).flatMap((one) => textOf(one) ?? []);
    return texts.length > 0 ? texts.join(', ') : undefined;
  }
  const { description } = tag ?? {};
  const text =
    typeof description === 'string'
      ? description.slice(0, LENGTH_MAX).replace(/\0+$/, '').trim()
      : '';
  return text === '' ? undefined : text;
}

/** Returns a number that is written as itself, or as a numerator and a denominator. */
export function ratioOf(tag: Tag | undefined): number | undefined {
  const { value } = tag ?? {};
  const parts = typeof value === 'string' ? value.split('/').map(Number) : value;
  if (!Array.isArray(parts)) return typeof parts === 'number' ? parts : undefined;
  const [numerator, denominator = 1] = parts;
  const ratio = Number(numerator) / Number(denominator);
  return Number.isFinite(ratio) ? ratio : undefined;
}

/** Returns a number that XMP writes as a text, alone or as the only one of a list. */
export function numberOf(tag: Tag | undefined): number | undefined {
  const text = textOf(tag);
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}
