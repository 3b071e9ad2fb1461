import { isUtf8 } from 'node:buffer';

/**
 * What the value of a header says, of which Node and undici have made a character of each byte. Who writes a name
 * as it is sends UTF-8, and older software ISO 8859-1: bytes that are UTF-8 are hardly ever meant as anything else.
 */
export function headerText(value: string): string {
  const bytes = Buffer.from(value, 'latin1');
  return isUtf8(bytes) ? bytes.toString() : value;
}
