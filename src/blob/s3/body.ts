import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';

/** Bytes to send. They can be read more than once, because a failed request is repeated. */
export interface S3Body {
  sizeBytes: number;
  /** SHA-256 of the bytes, in hexadecimal. */
  sha256: string;
  /** Opens the bytes, from the first one on. */
  open(): Uint8Array | Readable;
}

/** Creates a body of bytes in memory, which must not change. */
export function bytesBody(bytes: Uint8Array): S3Body {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { sizeBytes: bytes.byteLength, sha256, open: () => bytes };
}

/** Creates a body of a text. */
export function textBody(text: string): S3Body {
  return bytesBody(Buffer.from(text));
}
