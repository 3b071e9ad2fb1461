import type { Payload } from './payload.ts';

const BOUNDARY = '----TriviumBench7f3c9a51e2';

/** A `multipart/form-data` body around bytes that are not copied. */
export function multipart(
  fields: Readonly<Record<string, string>>,
  part: string,
  { filename, mimeType }: Payload,
  bytes: Buffer,
): { contentType: string; body: Buffer[] } {
  const texts = Object.entries(fields).map(
    ([name, value]) =>
      `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  const head =
    `${texts.join('')}--${BOUNDARY}\r\n` +
    `Content-Disposition: form-data; name="${part}"; filename="${filename}"\r\n` +
    `Content-Type: ${mimeType}\r\n\r\n`;
  return {
    contentType: `multipart/form-data; boundary=${BOUNDARY}`,
    body: [Buffer.from(head), bytes, Buffer.from(`\r\n--${BOUNDARY}--\r\n`)],
  };
}
