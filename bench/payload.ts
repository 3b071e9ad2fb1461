import { createHash, randomFillSync } from 'node:crypto';
import sharp from 'sharp';

/** A file to upload. */
export interface Payload {
  filename: string;
  mimeType: string;
  bytes: Buffer;
  md5: string;
}

export const MIB = 2 ** 20;

/** Random bytes of no known format. */
export function binaryPayload(sizeBytes: number): Payload {
  return payload('bench.bin', 'application/octet-stream', randomBytes(sizeBytes));
}

/** Random bytes that begin as a PDF: SelfCommunity takes only small images besides. */
export function pdfPayload(sizeBytes: number): Payload {
  const bytes = randomBytes(sizeBytes);
  bytes.write('%PDF-1.4\n', 'latin1');
  return payload('bench.pdf', 'application/pdf', bytes);
}

/**
 * Photos of about 20 KiB, each of other bytes: one image of noise, with a comment of its own after the first marker
 * (ITU-T T.81, B.2.4.5), so that every one can be decoded and none is a copy.
 */
export async function jpegPayloads(count: number): Promise<Payload[]> {
  const size = { width: 400, height: 300, channels: 3 } as const;
  const noise = { type: 'gaussian', mean: 128, sigma: 20 } as const;
  const image = await sharp({ create: { ...size, background: '#888', noise } })
    .jpeg({ quality: 60 })
    .toBuffer();
  return Array.from({ length: count }, (_, index) => {
    const text = String(index).padStart(8, '0');
    const comment = Buffer.from(`\xff\xfe\x00\x0a${text}`, 'latin1');
    const bytes = Buffer.concat([image.subarray(0, 2), comment, image.subarray(2)]);
    return payload(`photo-${index}.jpg`, 'image/jpeg', bytes);
  });
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
