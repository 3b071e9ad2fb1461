import { createHash, randomFillSync } from 'node:crypto';

/** A file to be sent. */
export interface Payload {
  filename: string;
  mimeType: string;
  bytes: Buffer;
  md5: string;
}

export const MIB = 2 ** 20;

/** Random bytes that are no known format. */
export function binaryPayload(sizeBytes: number): Payload {
  return payload('bench.bin', 'application/octet-stream', randomBytes(sizeBytes));
}

/** Random bytes that begin as a PDF: all that the SelfCommunity road takes besides small pictures. */
export function pdfPayload(sizeBytes: number): Payload {
  const bytes = randomBytes(sizeBytes);
  bytes.write('%PDF-1.4\n', 'latin1');
  return payload('bench.pdf', 'application/pdf', bytes);
}

/** Cuts a payload into many, which share its memory. */
export function splitPayload({ bytes }: Payload, sizeBytes: number, count: number): Payload[] {
  return Array.from({ length: count }, (_, index) => {
    const part = bytes.subarray(index * sizeBytes, (index + 1) * sizeBytes);
    return payload(`bench-${index}.bin`, 'application/octet-stream', part);
  });
}

function payload(filename: string, mimeType: string, bytes: Buffer): Payload {
  return { filename, mimeType, bytes, md5: createHash('md5').update(bytes).digest('hex') };
}

function randomBytes(sizeBytes: number): Buffer {
  return randomFillSync(Buffer.allocUnsafeSlow(sizeBytes));
}
