import { isUtf8 } from 'node:buffer';

/**
 * Decodes the value of a header, in which Node and undici turned each byte into one character. Senders that do not
 * encode a name send UTF-8, older ones ISO 8859-1; bytes that are valid UTF-8 are hardly ever meant as anything else.
 */
export function headerText(value: string): string {
  const bytes = Buffer.from(value, 'latin1');
  return isUtf8(bytes) ? bytes.toString() : value;
}
