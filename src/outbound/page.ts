import { toWebUrl } from '../lib/web-url.ts';
import { scanHtml } from './html-scan.ts';

/** An image of a page, with its size in pixels if the page states it. */
export interface PageImage {
  /** Absolute. */
  url: string;
  width: number | null;
  height: number | null;
}

/** The metadata of a page, from OpenGraph, Twitter cards and plain HTML, in this order of preference. */
export interface Page {
  title: string | null;
  description: string | null;
  /** The images that its metadata name, or else those that it shows. */
  images: PageImage[];
  /** The oEmbed URL that the page links to. */
  oembedUrl: string | null;
}

/** Parses a page that was fetched from `url`. Never throws: any text is a page, perhaps without metadata. */
export function parsePage(html: string, url: URL): Page {
  const found = scan(html);
  const base = URL.parse(found.base ?? '', url) ?? url;
  const meta = (...names: string[]) =>
    names.map((name) => found.metas.get(name)?.[0]).find((text) => text?.trim()) ?? null;
  const images = [...namedImages(found, base), ...linkedImages(found, base)];
  return {
    title: meta('og:title', 'twitter:title') ?? (found.title.trim() || meta('title')),
    description: meta('og:description', 'twitter:description', 'description'),
    images: images.length > 0 ? images : shownImages(found, base),
    oembedUrl: toWebUrl(found.oembed, base),
  };
}

interface Found {
  title: string;
  base: string | null;
  oembed: string | null;
  /** Values of `<meta>` elements by `property`, `name` or `itemprop`, in lower case. */
  metas: Map<string, string[]>;
  /** `og:image` and similar, each with the size that follows it. */
  images: { url: string; width: string | null; height: string | null }[];
  links: string[];
  shown: { url: string; width: string | null; height: string | null }[];
}

type Attributes = Readonly<Record<string, string>>;

function scan(html: string): Found {
  const found: Found = {
    title: '',
    base: null,
    oembed: null,
    metas: new Map(),
    images: [],
    links: [],
    shown: [],
  };
  // An SVG has titles of its own.
  let svgDepth = 0;
  let isTitle = false;
  let hasTitle = false;
  scanHtml(html, {
    onOpen(name, attributes) {
      if (name === 'svg') svgDepth += 1;
      isTitle = name === 'title' && svgDepth === 0 && !hasTitle;
      READERS[name]?.(found, attributes);
    },
    onText(text) {
      if (isTitle) found.title += text;
    },
    onClose(name) {
      if (name === 'svg') svgDepth -= 1;
      hasTitle ||= isTitle;
      isTitle = false;
    },
  });
  return found;
}

const READERS: Readonly<Record<string, (found: Found, attributes: Attributes) => void>> = {
  base: (found, { href }) => {
    found.base ??= href ?? null;
  },
  meta: readMeta,
  link: readLink,
  img: (found, { src, width = null, height = null }) => {
    if (src && found.shown.length < SHOWN_MAX) found.shown.push({ url: src, width, height });
  },
};

/** A page may have thousands of images; the others are ignored. */
const SHOWN_MAX = 100;

function readMeta(found: Found, { property, name, itemprop, content, value }: Attributes): void {
  const key = (property || name || itemprop || '').trim().toLowerCase();
  const text = content ?? value;
  if (key === '' || text === undefined) return;
  const texts = found.metas.get(key) ?? [];
  if (texts.length < 10) found.metas.set(key, [...texts, text]);
  const image = found.images.at(-1);
  // OpenGraph: the properties of an image follow it, and its URL may be repeated.
  if (key === 'og:image:width' && image) image.width ??= text;
  else if (key === 'og:image:height' && image) image.height ??= text;
  else if (IMAGE_KEYS.includes(key) && found.images.length < SHOWN_MAX) {
    found.images.push({ url: text, width: null, height: null });
  }
}

const IMAGE_KEYS = ['og:image', 'og:image:url', 'twitter:image', 'twitter:image:src', 'image'];

function readLink(found: Found, { rel = '', type = '', href }: Attributes): void {
  if (href === undefined) return;
  const rels = rel.toLowerCase().split(/\s+/);
  if (rels.includes('image_src')) found.links.push(href);
  if (rels.includes('alternate') && /^application\/json\+oembed\b/i.test(type.trim())) {
    found.oembed ??= href;
  }
}

function namedImages({ images }: Found, base: URL): PageImage[] {
  return images.flatMap((image) => toImage(image, base));
}

function linkedImages({ links }: Found, base: URL): PageImage[] {
  return links.flatMap((url) => toImage({ url, width: null, height: null }, base));
}

/** Leaves out small images: icons, avatars, tracking pixels. */
function shownImages({ shown }: Found, base: URL): PageImage[] {
  const images = shown.flatMap((image) => toImage(image, base));
  const isSmall = (side: number | null) => side !== null && side < SIDE_MIN;
  return images.filter(({ width, height }) => !isSmall(width) && !isSmall(height));
}

const SIDE_MIN = 100;

function toImage(image: Found['images'][number], base: URL): PageImage[] {
  const url = toWebUrl(image.url, base);
  return url === null
    ? []
    : [{ url, width: toPixels(image.width), height: toPixels(image.height) }];
}

function toPixels(text: string | null): number | null {
  const pixels = /^\s*(\d{1,5})\s*(px)?\s*$/.exec(text ?? '')?.[1];
  return pixels === undefined ? null : Number(pixels);
}
