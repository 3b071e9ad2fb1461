import { createHash } from 'node:crypto';

/** Maximum length of a value in `media_metadata`, in characters. Longer ones are stored as their digest. */
export const METADATA_VALUE_MAX = 200;

/**
 * Returns the text that stands for the value of a custom field in `media_metadata`: JSON with sorted keys, so that equal
 * values have equal texts, or `sha256:` and its digest if it is longer than `METADATA_VALUE_MAX`.
 */
export function metadataValue(value: unknown): string {
  const json = toCanonicalJson(value);
  if (json.length <= METADATA_VALUE_MAX) return json;
  return `sha256:${createHash('sha256').update(json).digest('hex')}`;
}

function toCanonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(toCanonicalJson).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const members = Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${toCanonicalJson(value[key as keyof typeof value])}`);
  return `{${members.join()}}`;
}
