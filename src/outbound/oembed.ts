import type { LinkImage } from '../domain/tree/link-metadata.ts';
import type { OEmbed } from '../domain/tree/media.ts';
import { toWebUrl } from '../lib/web-url.ts';
import { scanHtml } from './html-scan.ts';

/** What a provider answers: https://oembed.com, §2.3.4. */
export interface OEmbedAnswer {
  oembed: OEmbed;
  title: string | null;
  description: string | null;
  images: LinkImage[];
}

/** Where providers are asked that are known; the URL of the page comes behind it. */
export interface Providers {
  vimeo: string;
}

/** As they are. */
export const PROVIDERS: Providers = { vimeo: 'https://vimeo.com/api/oembed.json?url=' };

/** Where to ask about a page whose provider is known; null: it is not. */
export function knownEndpoint(url: string, providers: Providers): string | null {
  const host = URL.parse(url)?.hostname ?? '';
  return /^(www\.|player\.)?vimeo\.com$/.test(host)
    ? providers.vimeo + encodeURIComponent(url)
    : null;
}

const TYPES = ['photo', 'video', 'link', 'rich'];

/** Reads an answer; null for what is none. */
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
 * The frame of the provider's markup, written anew with what is harmless of it; null where there is none. Pages that
 * show it do so as it is, so that a script in it would be one of theirs, and any page may call itself a provider.
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

/** Some providers write numbers as text; what is no whole number, as `100%`, is none. */
function toWhole(value: unknown): number | null {
  const number = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value;
  const isWhole = typeof number === 'number' && Number.isSafeInteger(Math.round(number));
  return isWhole && number >= 0 && number < 2 ** 31 ? Math.round(number) : null;
}
