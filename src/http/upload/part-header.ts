import { filenameOf, mediaTypeOf, parseParameters } from '../../lib/header-value.ts';

/** The header of a part. */
export interface PartHeader {
  name: string;
  /** As sent, without the path that some browsers put before it; null: absent. */
  filename: string | null;
  /** Lower case, without parameters; null: absent. */
  mediaType: string | null;
}

/**
 * Parses the header lines of a part of `multipart/form-data`. Null for a part that is not a field
 * of a form.
 */
export function parsePartHeader(text: string): PartHeader | null {
  // RFC 5322 §2.2.3: a line that begins with a space continues the one before.
  const lines = text.replace(/\r\n[ \t]+/g, ' ').split('\r\n');
  const disposition = headerValue(lines, 'content-disposition');
  if (disposition === null || mediaTypeOf(disposition) !== 'form-data') return null;
  const parameters = parseParameters(disposition);
  const name = parameters.get('name');
  if (name === undefined) return null;
  const contentType = headerValue(lines, 'content-type');
  return {
    name,
    filename: filenameOf(parameters),
    mediaType: contentType && mediaTypeOf(contentType),
  };
}

function headerValue(lines: readonly string[], name: string): string | null {
  const line = lines.find((line) => line.toLowerCase().startsWith(`${name}:`));
  return line?.slice(name.length + 1).trim() ?? null;
}
