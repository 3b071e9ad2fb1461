/** Returns the UUID in lower case, or null for any other text. */
export function parseUuid(text: string): string | null {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text) ? text.toLowerCase() : null;
}

/** Returns the same as `parseUuid`, but also accepts a UUID without hyphens, as some systems write it. */
export function parseUuidOrDigits(text: string): string | null {
  const [, ...groups] = DIGITS.exec(text) ?? [];
  return parseUuid(groups.length > 0 ? groups.join('-') : text);
}

const DIGITS = /^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/i;
