import { posix } from 'node:path';
import type { OpenSource } from '../../source.ts';
import { readEntry, type ZipEntry } from './zip-entry.ts';

const CONTAINER = 'META-INF/container.xml';

/**
 * Finds the cover that the package document of an EPUB names (EPUB 3.3 §D.7.1, and EPUB 2 by convention). Returns
 * undefined for a book without a cover. Each value is within one tag, so no XML is parsed.
 */
export async function findEpubCover(
  source: OpenSource,
  entries: readonly ZipEntry[],
): Promise<ZipEntry | undefined> {
  const read = async (path: string) => {
    const entry = entries.find(({ name }) => name === path);
    return entry && (await readEntry(source, entry))?.toString();
  };
  const container = await read(CONTAINER);
  const [root] = tagsIn(container, 'rootfile');
  const path = root && attribute(root, 'full-path');
  const document = path && (await read(path));
  if (!document) return undefined;
  const items = tagsIn(document, 'item');
  const meta = tagsIn(document, 'meta').find((tag) => attribute(tag, 'name') === 'cover');
  const id = meta && attribute(meta, 'content');
  const cover =
    items.find((tag) => attribute(tag, 'properties')?.split(' ').includes('cover-image')) ??
    items.find((tag) => id !== undefined && attribute(tag, 'id') === id);
  const href = cover && attribute(cover, 'href');
  if (href === undefined) return undefined;
  const image = posix.join(posix.dirname(path), decode(href));
  return entries.find(({ name }) => name === image);
}

function tagsIn(text: string | undefined, name: string): string[] {
  return text?.match(new RegExp(`<(?:[a-z]{1,20}:)?${name}\\s[^<>]{1,2000}>`, 'g')) ?? [];
}

function attribute(tag: string, name: string): string | undefined {
  const match = new RegExp(`\\s${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)')`).exec(tag);
  return match?.[1] ?? match?.[2];
}

function decode(href: string): string {
  try {
    return decodeURIComponent(href.replaceAll('&amp;', '&'));
  } catch {
    return href;
  }
}
