/** Tells whether a text is an absolute http or https URL. */
export function isWebUrl(text: string): boolean {
  return /^https?:\/\/[^/]/i.test(text) && URL.canParse(text);
}

/** Returns the http or https URL of a text, relative to `base` if there is one; null for any other value. */
export function toWebUrl(text: unknown, base?: URL): string | null {
  const url = typeof text === 'string' && text.trim() !== '' ? URL.parse(text.trim(), base) : null;
  return url !== null && /^https?:$/.test(url.protocol) ? url.href : null;
}
