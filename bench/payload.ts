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
  return jpegCopies(image, count);
}

/** A JPEG of 2000 × 1333 pixels and about 750 KB, as a camera takes it: soft shapes, and fine noise on top of them. */
export async function photo(): Promise<Buffer> {
  const size = { width: 2000, height: 1333 };
  const noise = (sigma: number) => ({ type: 'gaussian', mean: 128, sigma }) as const;
  const small = { width: 40, height: 27, channels: 3, background: '#888' } as const;
  const shapes = await sharp({ create: { ...small, noise: noise(70) } })
    .resize({ ...size, fit: 'fill', kernel: 'cubic' })
    .png({ compressionLevel: 0 })
    .toBuffer();
  const grain = { ...size, channels: 3, background: '#888', noise: noise(12) } as const;
  return sharp(shapes)
    .composite([{ input: { create: grain }, blend: 'soft-light' }])
    .jpeg({ quality: 85 })
    .toBuffer();
}

/** Returns copies of a JPEG, each with a comment of its own, so that none is equal to another. */
export function jpegCopies(image: Buffer, count: number): Payload[] {
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
