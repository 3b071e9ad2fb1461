import { readFile } from 'node:fs/promises';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { planRendition, planThumbnail } from '../../src/domain/rendition/plan.ts';
import { parseRenditionRequest } from '../../src/domain/rendition/request.ts';
import { LostMotionError, renderImage } from '../../src/media/render.ts';
import { animatedPng, animation } from '../support/image.ts';
import { fixture, withFile } from '../support/temporary-file.ts';

const LIMITS = { pixelsMax: 100_000_000, timeoutMs: 60_000 };

/** Returns the format and the number of frames of a rendition. */
async function render(bytes: Buffer, query: string, mimeType: string) {
  const { autoOrient } = await sharp(bytes).metadata();
  const request = parseRenditionRequest(Object.fromEntries(new URLSearchParams(query)))!;
  const plan = planRendition(request, { ...autoOrient, mimeType })!;
  const made = await withFile(bytes, (path) => renderImage(path, plan, LIMITS));
  const { format, pages = 1, delay, loop } = await sharp(made.bytes).metadata();
  return { moves: `${format} ${pages}`, delay: delay?.[0], loop };
}

const SMALL = { frames: 10, width: 40, height: 30 };
const LONG = { frames: 500, width: 201, height: 200 };

describe.each(['gif', 'webp'] as const)('an animated %s', (format) => {
  const mimeType = `image/${format}`;

  it('keeps its frames and its speed, also in the other format', async () => {
    const bytes = await animation(format, SMALL);
    for (const query of ['width=10', 'width=60&height=60&bgcolor=teal', 'width=10&format=gif']) {
      const made = await render(bytes, query, mimeType);
      expect(made).toMatchObject({ delay: 70, loop: 3 });
      expect(made.moves).toMatch(/10$/);
    }
  });

  it('never stands still because it is large', async () => {
    // Enlarged to 20 megapixels a frame; and 20 megapixels in 500 frames.
    const [short, long] = [await animation(format, SMALL), await animation(format, LONG)];
    for (const [bytes, query] of [
      [short, 'width=5000'],
      [long, 'width=10'],
      [long, `width=10&format=${format === 'gif' ? 'webp' : 'gif'}`],
    ] as const) {
      await expect(render(bytes, query, mimeType), query).rejects.toThrow(LostMotionError);
    }
  });

  it('is a still image in a format that has no animations: its first frame', async () => {
    const bytes = await animation(format, SMALL);
    expect((await render(bytes, 'format=jpg', mimeType)).moves).toBe('jpeg 1');
    expect((await render(bytes, 'format=png', mimeType)).moves).toBe('png 1');
  });
});

it('an animated WebP that EXIF turns is not rendered: libvips would turn all frames together', async () => {
  const bytes = await sharp(await animation('webp', SMALL), { animated: true })
    .withMetadata({ orientation: 3 })
    .webp()
    .toBuffer();
  await expect(render(bytes, 'width=10', 'image/webp')).rejects.toThrow(LostMotionError);
});

describe('an animation of which libvips reads one frame', () => {
  const AVIF = readFile(fixture('picture.avif')).then((bytes) => {
    const at = bytes.indexOf('avif', 12, 'latin1');
    bytes.write('avis', at, 'latin1');
    return bytes;
  });

  it.each([
    ['image/png', animatedPng(), ['width=10', 'width=10&format=png', 'format=webp', 'format=gif']],
    ['image/avif', AVIF, ['width=10', 'width=10&format=avif', 'format=webp']],
  ] as const)('is not rendered: %s', async (mimeType, made, queries) => {
    const bytes = await made;
    for (const query of queries) {
      await expect(render(bytes, query, mimeType), query).rejects.toThrow(LostMotionError);
    }
    expect((await render(bytes, 'width=10&format=jpg', mimeType)).moves).toBe('jpeg 1');
    // A thumbnail is meant to be a still image.
    const plan = planThumbnail({ width: 60, height: 40 }, 320);
    const { width } = await withFile(bytes, (path) => renderImage(path, plan, LIMITS));
    expect(width).toBe(60);
  });

  it('is a still image if it has a single frame', async () => {
    const png = await animatedPng();
    png.writeUInt32BE(1, png.indexOf('acTL') + 4);
    png.writeUInt32BE(0x2d62ca22, png.indexOf('acTL') + 12);
    expect((await render(png, 'width=10', 'image/png')).moves).toBe('png 1');
  });
});
