/** Endpoints of known oEmbed providers, to which the URL of the page is appended. */
export interface Providers {
  vimeo: string;
}

/** The endpoints that the providers document. */
export const PROVIDERS: Providers = { vimeo: 'https://vimeo.com/api/oembed.json?url=' };

/** Returns the oEmbed URL of a page; null if its provider is not known. */
export function knownEndpoint(url: string, providers: Providers): string | null {
  const host = URL.parse(url)?.hostname ?? '';
  return /^(www\.|player\.)?vimeo\.com$/.test(host)
    ? providers.vimeo + encodeURIComponent(url)
    : null;
}
