import { DECLARED_EXTENSIONS } from '../../open-document.ts';
import type { OpenSource } from '../../source.ts';
import { OOXML_EXTENSIONS } from '../office/document-type.ts';
import { findEpubCover } from './epub-cover.ts';
import { listEntries, readEntry, type ZipEntry } from './zip-entry.ts';

const COMIC = 'application/vnd.comicbook+zip';
const EPUB = 'application/epub+zip';

/** The MIME types of packages (ZIP files) that may contain an image of what they hold. */
export const PACKAGE_TYPES: readonly string[] = [
  ...Object.keys(OOXML_EXTENSIONS),
  ...Object.keys(DECLARED_EXTENSIONS),
  ...[
    'application/vnd.apple.pages',
    'application/vnd.apple.numbers',
    'application/vnd.apple.keynote',
  ],
  'model/3mf',
  COMIC,
];

/** The names of thumbnails in packages, the best first. */
const NAMES: readonly RegExp[] = [
  // OpenRaster and Krita: the whole image. Then OpenDocument 1.3 part 2 §3.8, Open Packaging, Apple, Krita, 3MF.
  /^mergedimage\.png$/,
  /^Thumbnails\/thumbnail\.png$/,
  /^docProps\/thumbnail\.(?:jpe?g|png)$/i,
  /^preview\.jpg$/,
  /^QuickLook\/(?:Thumbnail|Preview)\.(?:jpg|png)$/,
  /^preview\.png$/,
  /^Metadata\/(?:thumbnail|plate_1)\.png$/,
];

/** Returns the thumbnail, cover or first page in a package; undefined if there is none. */
export async function readThumbnail(
  source: OpenSource,
  mimeType: string,
): Promise<Uint8Array | undefined> {
  const entries = await listEntries(source);
  const entry = await findImage(source, entries, mimeType);
  return entry && readEntry(source, entry);
}

async function findImage(
  source: OpenSource,
  entries: readonly ZipEntry[],
  mimeType: string,
): Promise<ZipEntry | undefined> {
  if (mimeType === EPUB) return findEpubCover(source, entries);
  if (mimeType === COMIC) return firstPage(entries);
  for (const pattern of NAMES) {
    const entry = entries.find(({ name }) => pattern.test(name));
    if (entry !== undefined) return entry;
  }
  return undefined;
}

/** Pages of a comic book are images in the order of their names, 2 before 10. */
function firstPage(entries: readonly ZipEntry[]): ZipEntry | undefined {
  const { compare } = new Intl.Collator('en', { numeric: true });
  return entries
    .filter(({ name }) => /\.(?:jpe?g|png|webp|gif|avif)$/i.test(name) && !/^__MACOSX\//.test(name))
    .sort((a, b) => compare(a.name, b.name))[0];
}
