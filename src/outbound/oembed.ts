import { toWebUrl } from '../lib/web-url.ts';
import { scanHtml } from './html-scan.ts';
import type { PageImage } from './page.ts';

/** The embed of a provider's response. */
export interface ProviderEmbed {
  type: string;
  url: string | null;
  width: number | null;
  height: number | null;
  durationSeconds: number | null;
  html: string | null;
}

/** The response of an oEmbed provider: https://oembed.com, §2.3.4. */
export interface OEmbedAnswer {
  oembed: ProviderEmbed;
  title: string | null;
  description: string | null;
  images: PageImage[];
}

const TYPES = ['photo', 'video', 'link', 'rich'];

/** Parses a response; returns null if it is not an oEmbed response. */
export function parseOEmbed(json: string): OEmbedAnswer | null {
  const answer = parseObject(json);
  const type = toText(answer?.type);
  if (answer === null || type === null || !TYPES.includes(type)) return null;
  const { title, description, thumbnail_url, thumbnail_width, thumbnail_height } = answer;
  const url = toWebUrl(answer.url);
  const thumbnail = toWebUrl(thumbnail_url) ?? (type === 'photo' ? url : null);
  const size = thumbnail_url
    ? { width: toWhole(thumbnail_width), height: toWhole(thumbnail_height) }
    : { width: toWhole(answer.width), height: toWhole(answer.height) };
  return {
    oembed: {
      type,
      url,
      width: toWhole(answer.width),
      height: toWhole(answer.height),
      durationSeconds: toWhole(answer.duration),
      html: toFrame(toText(answer.html)),
    },
    title: toText(title),
    description: toText(description),
    images: thumbnail === null ? [] : [{ url: thumbnail, ...size }],
  };
}

function parseObject(json: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(json);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/**
 * Returns a new `<iframe>` with the harmless attributes of the provider's first one; null if it has none. Clients
 * insert the markup into their own pages, where a script would run as theirs, and any page may claim to be a provider.
 */
function toFrame(html: string | null): string | null {
  let frame: string | null = null;
  scanHtml(html ?? '', {
    onOpen(name, { src, width, height, title }) {
      const url = toWebUrl(src);
      if (name !== 'iframe' || frame !== null || url === null) return;
      const sides = { width: toWhole(width), height: toWhole(height) };
      const attributes = Object.entries({ src: url, ...sides, title: title ?? null })
        .filter(([, value]) => value !== null)
        .map(([name, value]) => ` ${name}="${escapeAttribute(String(value))}"`);
      frame = `<iframe${attributes.join('')} frameborder="0" allowfullscreen></iframe>`;
    },
  });
  return frame;
}

function escapeAttribute(text: string): string {
  const escapes: Readonly<Record<string, string>> = { '"': '&quot;', '<': '&lt;', '>': '&gt;' };
  return text.replace(/&/g, '&amp;').replace(/["<>]/g, (character) => escapes[character] ?? '');
}

function toText(value: unknown): string | null {
  return typeof value === 'string' && value.trim() !== '' ? value : null;
}

/** Returns a whole number, which some providers write as text; null for other text, such as `100%`. */
function toWhole(value: unknown): number | null {
  const number = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value;
  const isWhole = typeof number === 'number' && Number.isSafeInteger(Math.round(number));
  return isWhole && number >= 0 && number < 2 ** 31 ? Math.round(number) : null;
}
