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

/** Returns the text of a tag, or of each of its occurrences; undefined if there is none. */
export function textOf(tag: Tag | Tag[] | undefined): string | undefined {
  if (Array.isArray(tag)) {
    const texts = tag.slice(0, 20).flatMap((one) => textOf(one) ?? []);
    return texts.length > 0 ? texts.join(', ') : undefined;
  }
  const { description } = tag ?? {};
  const text = typeof description === 'string' ? description.replace(/\0+$/, '').trim() : '';
  return text === '' ? undefined : text;
}
