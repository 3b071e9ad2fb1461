import { readFile } from 'node:fs/promises';
import sharp, { type Sharp } from 'sharp';
import { describe, expect, it } from 'vitest';
import {
  BrokenImageError,
  DamagedImageError,
  ImageTooLargeError,
  probeImage,
} from '../../src/media/probe.ts';
import { noise } from '../support/image.ts';
import { makePhoto } from '../support/photo.ts';
import { fixture, withFile } from '../support/temporary-file.ts';

const LIMITS = { pixelsMax: 100_000_000, timeoutMs: 60_000 };

/**
 * A size above the decoder's memory limit: such images are not decoded, only followed to their end.
 */
const LARGE = { width: 1600, height: 1200 };

describe('an image', () => {
  it.each([
    ['photo-with-exif-rotation.jpg', { width: 30, height: 40, format: 'jpeg', pages: 1 }],
    ['picture.png', { width: 20, height: 16, format: 'png', pages: 1 }],
    ['picture.webp', { width: 20, height: 16, format: 'webp', pages: 1 }],
    ['picture.avif', { width: 20, height: 16, format: 'avif', pages: 1 }],
    ['picture.heic', { width: 16, height: 16, format: 'heic', pages: 1 }],
    ['animation.gif', { width: 20, height: 16, format: 'gif', pages: 3 }],
  ])('%s is reported with its displayed size', async (name, probed) => {
    expect(await probeImage(fixture(name), LIMITS)).toEqual(probed);
  });

  it.each(['jpeg', 'webp', 'tiff', 'png'] as const)(
    '%s is reported with its EXIF orientation applied',
    async (format) => {
      for (const orientation of [1, 2, 3, 4, 5, 6, 7, 8]) {
        const bytes = await noise(40, 30).withMetadata({ orientation }).toFormat(format).toBuffer();
        const size = orientation < 5 ? { width: 40, height: 30 } : { width: 30, height: 40 };
        expect(await probe(bytes), `${orientation}`).toMatchObject(size);
      }
    },
  );

  it.each([
    ['lossy', {}],
    ['lossless', { lossless: true }],
  ])('WebP is reported with the size that it was encoded with: %s', async (_, options) => {
    for (const [width, height] of [
      [1, 1],
      [3, 700],
      [700, 3],
    ] as const) {
      const still = await noise(width, height).webp(options).toBuffer();
      const transparent = await noise(width, height).ensureAlpha(0.5).webp(options).toBuffer();
      expect(await probe(still)).toMatchObject({ width, height, pages: 1 });
      expect(await probe(transparent)).toMatchObject({ width, height, pages: 1 });
    }
  });

  it('an animated WebP is reported with all its frames', async () => {
    const bytes = await (await animation(LARGE)).webp().toBuffer();
    expect(await probe(bytes)).toEqual({ ...LARGE, format: 'webp', pages: 3 });
  });

  it('an image of 10 MB is checked to its end', async () => {
    const { bytes, width, height } = await makePhoto({ sizeBytesMin: 10_000_000 });
    expect(await probe(bytes)).toEqual({ width, height, format: 'jpeg', pages: 1 });
    await expect(probe(bytes.subarray(0, -1000))).rejects.toThrow(BrokenImageError);
  });
});

describe('a broken image is rejected', () => {
  it.each(['truncated.jpg', 'truncated.png', 'crc-broken.png'])('%s', async (name) => {
    await expect(probeImage(fixture(name), LIMITS)).rejects.toThrow(BrokenImageError);
  });

  const pictures: [string, (size: Size) => Promise<Buffer>][] = [
    ['JPEG', (size) => noise(size.width, size.height).jpeg().toBuffer()],
    [
      'progressive JPEG',
      (size) => noise(size.width, size.height).jpeg({ progressive: true }).toBuffer(),
    ],
    ['PNG', (size) => noise(size.width, size.height).png().toBuffer()],
    [
      'interlaced PNG',
      (size) => noise(size.width, size.height).png({ progressive: true }).toBuffer(),
    ],
    ['WebP', (size) => noise(size.width, size.height).webp().toBuffer()],
    [
      'GIF',
      (size) =>
        noise(size.width, size.height).gif({ effort: 1, colours: 16, dither: 0 }).toBuffer(),
    ],
    [
      'moving GIF',
      async (size) => (await animation(size)).gif({ effort: 1, colours: 16, dither: 0 }).toBuffer(),
    ],
    ['moving WebP', async (size) => (await animation(size)).webp({ effort: 0 }).toBuffer()],
    ['AVIF', (size) => noise(size.width, size.height).avif({ effort: 0 }).toBuffer()],
    ['TIFF', (size) => noise(size.width, size.height).tiff({ compression: 'deflate' }).toBuffer()],
  ];

  describe.each(pictures)('%s', (_, make) => {
    it.each([{ width: 60, height: 40 }, LARGE])('cut off, of $width pixels', async (size) => {
      const bytes = await make(size);
      await expect(probe(bytes)).resolves.toMatchObject(size);
      for (const share of [0.1, 0.5, 0.9, 0.99]) {
        const cut = bytes.subarray(0, Math.floor(bytes.length * share));
        await expect(probe(cut), `${share}`).rejects.toThrow(BrokenImageError);
      }
    });

    it('garbage after the signature', async () => {
      const bytes = await make({ width: 60, height: 40 });
      bytes.fill(0xa5, 16);
      await expect(probe(bytes)).rejects.toThrow(BrokenImageError);
    });
  });

  it('PNG with one flipped bit, decoded or not', async () => {
    for (const { width, height } of [
      { width: 60, height: 40 },
      { ...LARGE, width: 3000 },
    ]) {
      const bytes = await noise(width, height).png({ compressionLevel: 1 }).toBuffer();
      bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 4, bytes.length >> 1);
      await expect(probe(bytes)).rejects.toThrow(BrokenImageError);
    }
  });

  it('HEIC cut off, although it cannot be decoded', async () => {
    const bytes = await readFile(fixture('picture.heic'));
    await expect(probe(bytes.subarray(0, -1))).rejects.toThrow(BrokenImageError);
  });

  it.each(['drawing.svg', 'drawing-with-script.svg', 'document.pdf', 'note.txt'])(
    '%s, whose format is not supported',
    async (name) => {
      const error = await rejection(probeImage(fixture(name), LIMITS));
      expect(error).toBeInstanceOf(BrokenImageError);
      expect(error.message).toBe('Images of this format are not supported.');
    },
  );

  it('with a message that names neither the path nor the library', async () => {
    const error = await rejection(probeImage(fixture('truncated.png'), LIMITS));
    expect(error.message).toBe('The image is damaged or incomplete.');
    expect(error.cause).toBeInstanceOf(Error);
  });
});

describe('an image without its last marker is accepted, whatever its size', () => {
  const jpeg = (options: object) => (image: Sharp) => image.jpeg(options);
  const png = (options: object) => (image: Sharp) => image.png(options);

  it.each<[string, number, (image: Sharp) => Sharp]>([
    ['JPEG', 2, jpeg({})],
    ['JPEG with half a marker', 1, jpeg({})],
    ['JPEG, 4:4:4', 2, jpeg({ chromaSubsampling: '4:4:4', quality: 100 })],
    ['JPEG, progressive', 2, jpeg({ progressive: true })],
    ['PNG', 12, png({ compressionLevel: 1 })],
    ['PNG with half a chunk', 5, png({ compressionLevel: 1 })],
    ['PNG, interlaced', 12, png({ progressive: true, compressionLevel: 1 })],
    ['GIF', 1, (image) => image.gif({ effort: 1, colours: 16, dither: 0 })],
  ])('%s', async (_, missingBytes, encode) => {
    for (const size of [{ width: 60, height: 40 }, LARGE, { width: 2400, height: 500 }]) {
      const bytes = await encode(noise(size.width, size.height)).toBuffer();
      const cut = bytes.subarray(0, -missingBytes);
      expect(await probe(cut)).toMatchObject(size);
      const missing = bytes.subarray(0, Math.floor(bytes.length * 0.98));
      await expect(probe(missing)).rejects.toThrow(DamagedImageError);
    }
  });

  it('but not a PNG that ends between two chunks of its pixels', async () => {
    const bytes = await noise(2400, 500).png({ compressionLevel: 1 }).toBuffer();
    const second = bytes.indexOf('IDAT', bytes.indexOf('IDAT') + 4) - 4;
    expect(second).toBeGreaterThan(0);
    await expect(probe(bytes.subarray(0, second))).rejects.toThrow(DamagedImageError);
  });
});

it('damage that no decoder minds is none: the checksum of a text in a PNG', async () => {
  const text = Buffer.from('0000000174455874410000000000', 'hex').subarray(0, 13);
  for (const width of [60, 2400]) {
    const bytes = await noise(width, 40).png().toBuffer();
    const broken = Buffer.concat([bytes.subarray(0, 33), text, bytes.subarray(33)]);
    expect(await probe(broken)).toMatchObject({ width });
  }
});

it('the verdict does not depend on where the bytes are', async () => {
  const bytes = await noise(60, 40).jpeg({ progressive: true }).toBuffer();
  const table = bytes.lastIndexOf(Buffer.from([0xff, 0xc4]));
  // A table that no code fits: the structure is intact.
  bytes.fill(0xfe, table + 5, table + 21);
  const verdict = (source: Promise<unknown>) => source.then(() => 'intact', String);
  expect(await verdict(probeImage(bytes, LIMITS))).toBe(await verdict(probe(bytes)));
});

describe('limits', () => {
  it('an image with too many pixels is rejected, however small its file', async () => {
    const error = await rejection(probeImage(fixture('pixel-bomb.png'), LIMITS));
    expect(error).toBeInstanceOf(ImageTooLargeError);
    expect(error).toMatchObject({ pixelsMax: 100_000_000 });
  });

  it.each([
    [320, true],
    [319, false],
  ])('with a limit of %i pixels, 20 by 16 is accepted: %s', async (pixelsMax, mayPass) => {
    for (const name of ['picture.png', 'picture.webp', 'animation.gif']) {
      const probed = probeImage(fixture(name), { ...LIMITS, pixelsMax });
      if (mayPass) await probed;
      else await expect(probed).rejects.toThrow(ImageTooLargeError);
    }
  });

  it('a probe that takes too long is rejected, and the next one works', async () => {
    const { bytes } = await makePhoto({ sizeBytesMin: 10_000_000 });
    const error = await rejection(probe(bytes, { ...LIMITS, timeoutMs: 1 }));
    expect(error).toBeInstanceOf(BrokenImageError);
    expect(error.message).toBe('The image takes too long to read.');
    await Promise.all(Array.from({ length: 8 }, () => probeImage(fixture('picture.png'), LIMITS)));
  });

  it('a missing file throws the error of the file system', async () => {
    await expect(probeImage(fixture('missing'), LIMITS)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('concurrent probes', () => {
  it('each probe returns its own result', async () => {
    const sizes = Array.from({ length: 32 }, (_, n) => ({ width: 10 + n, height: 1200 }));
    const files = await Promise.all(sizes.map((s) => noise(s.width, s.height).png().toBuffer()));
    expect(await Promise.all(files.map((bytes) => probe(bytes)))).toMatchObject(sizes);
  });

  it('32 probes of large images take less than 48 MiB', async () => {
    const { bytes } = await makePhoto({ sizeBytesMin: 10_000_000 });
    await withFile(bytes, async (path) => {
      await probeImage(path, LIMITS);
      const before = process.memoryUsage.rss();
      await Promise.all(Array.from({ length: 32 }, () => probeImage(path, LIMITS)));
      expect(process.memoryUsage.rss() - before).toBeLessThan(48 * 2 ** 20);
    });
  });
});

interface Size {
  width: number;
  height: number;
}

function probe(bytes: Buffer, limits = LIMITS) {
  return withFile(bytes, (path) => probeImage(path, limits));
}

async function rejection(work: Promise<unknown>): Promise<Error> {
  return work.then(
    () => expect.unreachable(),
    (error) => error,
  );
}

/** Creates an animation of three frames. */
async function animation({ width, height }: Size): Promise<Sharp> {
  const frames = [1, 2, 3].map((n) =>
    noise(width, height)
      .linear(1, 20 * n)
      .png({ compressionLevel: 1 })
      .toBuffer(),
  );
  return sharp(await Promise.all(frames), { join: { animated: true } });
}
