import { readFile } from 'node:fs/promises';
import sharp, { type Sharp } from 'sharp';
import { describe, expect, it } from 'vitest';
import { planRendition } from '../../src/domain/rendition/plan.ts';
import { parseRenditionRequest } from '../../src/domain/rendition/request.ts';
import {
  RENDER_BYTES_MAX,
  RenderBusyError,
  reserveRenderMemory,
} from '../../src/media/decode-memory.ts';
import { BrokenImageError, ImageTooLargeError } from '../../src/media/probe.ts';
import { type RenderLimits, renderImage } from '../../src/media/render.ts';
import { noise, quadrants, shadesOf } from '../support/image.ts';
import { fixture, withFile } from '../support/temporary-file.ts';

const LIMITS: RenderLimits = { pixelsMax: 100_000_000, timeoutMs: 60_000 };

/** Renders an image as the query of its URL asks. */
async function render(bytes: Buffer, query: string, limits = LIMITS) {
  const { format, autoOrient } = await sharp(bytes).metadata();
  const mimeType = format === 'heif' ? 'image/avif' : `image/${format}`;
  const request = parseRenditionRequest(Object.fromEntries(new URLSearchParams(query)))!;
  const plan = planRendition(request, { ...autoOrient, mimeType })!;
  return withFile(bytes, (path) => renderImage(path, plan, limits));
}

const WIDE = await quadrants(400, 200).jpeg({ quality: 95, chromaSubsampling: '4:4:4' }).toBuffer();
const ALL = 'red lime blue yellow';

describe('the pixels of a rendition', () => {
  it.each([
    ['width=100', '100x50', `${ALL} red`],
    ['width=800', '800x400', `${ALL} red`],
    ['width=100&height=100', '100x100', 'black black black black red'],
    ['width=100&height=100&bgcolor=fff', '100x100', 'white white white white red'],
    ['width=100&height=100&anchor=top&bgcolor=white', '100x100', 'red lime white white blue'],
    [
      'width=100&height=100&anchor=bottom&bgcolor=white',
      '100x100',
      'white white blue yellow white',
    ],
    ['width=300&height=100&anchor=right', '300x100', 'black lime black yellow red'],
    ['width=600&height=600&mode=boxpad&bgcolor=fff', '600x600', 'white white white white red'],
    ['width=600&height=600&mode=boxpad&anchor=topleft', '600x600', 'red black black black black'],
    ['width=100&height=100&mode=crop', '100x100', `${ALL} red`],
    ['width=100&height=100&mode=crop&anchor=left', '100x100', 'red red blue blue red'],
    [
      'width=100&height=100&mode=crop&anchor=bottomright',
      '100x100',
      'lime lime yellow yellow lime',
    ],
    ['width=200&height=50&mode=crop&anchor=top', '200x50', 'red lime red lime red'],
    ['width=100&height=100&mode=crop&center=0.9,0.1', '100x100', 'red red blue blue red'],
    // Enlarged, from a part of it.
    ['width=600&height=600&mode=crop&center=0,1', '600x600', 'lime lime yellow yellow lime'],
    ['width=437&height=211&mode=crop', '437x211', `${ALL} red`],
    ['width=100&height=100&mode=max', '100x50', `${ALL} red`],
    ['width=100&height=100&mode=min', '200x100', `${ALL} red`],
    ['width=100&height=100&mode=stretch', '100x100', `${ALL} red`],
    ['crop=0.5,0,0,0.5&cropmode=percentage', '200x100', 'lime lime lime lime lime'],
    ['crop=0,100,200,100', '200x100', 'blue blue blue blue blue'],
    [
      'crop=100,0,200,200&width=50&height=100&mode=crop&anchor=left',
      '50x100',
      'red red blue blue red',
    ],
    ['format=png', '400x200', `${ALL} red`],
    ['format=webp', '400x200', `${ALL} red`],
    ['format=gif', '400x200', `${ALL} red`],
  ])('are correct for %s', async (query, size, shades) => {
    const { bytes, width, height } = await render(WIDE, query);
    expect(`${width}x${height}`).toBe(size);
    expect(await shadesOf(bytes)).toBe(shades);
    const read = await sharp(bytes).metadata();
    expect(`${read.width}x${read.height}`).toBe(size);
  });

  it('follow the displayed image for every EXIF orientation', async () => {
    for (const orientation of [1, 2, 3, 4, 5, 6, 7, 8]) {
      const shown = turned(orientation);
      const bytes = await shown
        .withMetadata({ orientation })
        .jpeg({ quality: 95, chromaSubsampling: '4:4:4' })
        .toBuffer();
      const note = `orientation ${orientation}`;
      expect(await shadesOf((await render(bytes, 'width=100')).bytes), note).toBe(`${ALL} red`);
      const cropped = await render(bytes, 'crop=200,0,200,200&width=50&height=50&mode=crop');
      expect(await shadesOf(cropped.bytes), note).toBe('lime lime yellow yellow lime');
    }
  });

  it('stay transparent, or get the background color', async () => {
    const clear = await quadrants(40, 40)
      .extend({ top: 20, bottom: 20, left: 20, right: 20, background: '#0000' })
      .png()
      .toBuffer();
    const shades = async (query: string) => shadesOf((await render(clear, query)).bytes);
    const around = (shade: string) => `${Array(4).fill(shade).join(' ')} red`;
    expect(await shades('width=40')).toBe(around('clear'));
    expect(await shades('width=40&format=webp')).toBe(around('clear'));
    expect(await shades('width=40&format=gif')).toBe(around('clear'));
    expect(await shades('width=40&height=80')).toBe(around('clear'));
    expect(await shades('width=40&bgcolor=fff')).toBe(around('white'));
    expect(await shades('width=40&format=jpg')).toBe(around('white'));
    expect(await shades('width=40&format=jpg&bgcolor=black')).toBe(around('black'));
    expect(await shades('width=40&format=jpg&bgcolor=fff')).toBe(around('white'));
    const gray = await quadrants(40, 20).linear(0, 255).toColourspace('b-w').png().toBuffer();
    const onBlue = await render(gray, 'width=40&height=40&bgcolor=blue');
    expect(await shadesOf(onBlue.bytes)).toBe('blue blue blue blue white');
  });
});

/** Returns the quadrants as a camera stores them with this EXIF orientation. */
function turned(orientation: number): Sharp {
  const degrees = [0, 0, 0, 180, 180, 90, 270, 270, 90][orientation] ?? 0;
  const image = sharp(WIDE);
  if ([2, 4].includes(orientation)) image.flop();
  if ([5, 7].includes(orientation)) image.flip();
  return image.rotate(degrees);
}

describe('a rendition', () => {
  it('contains no metadata of the original', async () => {
    const bytes = await sharp(WIDE)
      .withExif({ IFD0: { Copyright: 'me' }, IFD3: { GPSLatitudeRef: 'N' } })
      .withXmp('<x:xmpmeta xmlns:x="adobe:ns:meta/"/>')
      .withIccProfile('p3')
      .toBuffer();
    expect(await sharp(bytes).metadata()).toHaveProperty('exif');
    for (const format of ['jpg', 'png', 'webp', 'gif']) {
      const made = await render(bytes, `width=100&format=${format}`);
      const { exif, xmp, icc, iptc, orientation } = await sharp(made.bytes).metadata();
      expect([exif, xmp, icc, iptc, orientation]).toEqual(Array(5).fill(undefined));
    }
  });

  it('is smaller at a lower quality', async () => {
    const photo = await noise(300, 300).png().toBuffer();
    for (const format of ['jpg', 'webp']) {
      const sizes = [10, 50, 100].map(async (quality) => {
        const { bytes } = await render(photo, `format=${format}&quality=${quality}`);
        return bytes.length;
      });
      const [low = 0, middle = 0, high = 0] = await Promise.all(sizes);
      expect(low).toBeLessThan(middle * 0.8);
      expect(middle).toBeLessThan(high * 0.8);
    }
  });

  it('of an animation is animated if the format allows it, otherwise its first frame', async () => {
    const gif = await readFile(fixture('animation.gif'));
    const pages = async (query: string) => {
      const { bytes, ...size } = await render(gif, query);
      const read = await sharp(bytes).metadata();
      return [
        read.format,
        read.pages ?? 1,
        size.width,
        size.height,
        read.pageHeight ?? read.height,
      ];
    };
    expect(await pages('width=10')).toEqual(['gif', 3, 10, 8, 8]);
    expect(await pages('format=webp')).toEqual(['webp', 3, 20, 16, 16]);
    expect(await pages('width=30&height=30&bgcolor=red')).toEqual(['gif', 3, 30, 30, 30]);
    expect(await pages('width=8&height=8&mode=crop')).toEqual(['gif', 3, 8, 8, 8]);
    expect(await pages('crop=2,2,10,10&width=5')).toEqual(['gif', 3, 5, 5, 5]);
    expect(await pages('format=png')).toEqual(['png', 1, 20, 16, 16]);
    expect(await pages('format=jpg')).toEqual(['jpeg', 1, 20, 16, 16]);
  });

  it('can be created from AVIF and TIFF', async () => {
    for (const format of ['avif', 'tiff'] as const) {
      const bytes = await quadrants(400, 200).toFormat(format, { quality: 90 }).toBuffer();
      const made = await render(bytes, 'width=100');
      expect(await shadesOf(made.bytes)).toBe(`${ALL} red`);
      expect((await sharp(made.bytes).metadata()).format).toBe('webp');
    }
  });
});

describe('a rendition is refused', () => {
  const plan = planRendition(parseRenditionRequest({ width: '10' })!, {
    ...{ width: 20, height: 16 },
    mimeType: 'image/png',
  })!;

  it.each(['drawing.svg', 'document.pdf', 'clip.mp4', 'picture.heic'])('of %s', async (name) => {
    await expect(renderImage(fixture(name), plan, LIMITS)).rejects.toThrow(BrokenImageError);
  });

  it('of a damaged image', async () => {
    const damaged = fixture('truncated.png');
    await expect(renderImage(damaged, plan, LIMITS)).rejects.toThrow(BrokenImageError);
  });

  it('of an image with more pixels than the limit', async () => {
    const limits = { ...LIMITS, pixelsMax: 400 * 200 - 1 };
    await expect(render(WIDE, 'width=10', limits)).rejects.toThrow(ImageTooLargeError);
  });

  it('of an image that needs more memory than the limit', async () => {
    // 84 bytes that declare 30,000 by 30,000 pixels; interlaced, so they are decoded as a whole.
    const bytes = await readFile(fixture('pixel-bomb.png'));
    const limits = { ...LIMITS, pixelsMax: Number.POSITIVE_INFINITY };
    const webp = { ...plan, format: 'webp', scaled: { width: 30_000, height: 30_000 } } as const;
    const made = withFile(bytes, (path) => renderImage(path, webp, limits));
    await expect(made).rejects.toThrow('more memory');
  });

  it('when its turn does not come in time; later renderings are not blocked', async () => {
    const forEver = Number.POSITIVE_INFINITY;
    const held = await Promise.all([1, 2].map(() => reserveRenderMemory(1, forEver)));
    const hasty = { ...LIMITS, patienceMs: 1 };
    await expect(render(WIDE, 'width=10', hasty)).rejects.toThrow(RenderBusyError);
    const patient = render(WIDE, 'width=10', { ...LIMITS, patienceMs: 20_000 });
    held[0]!();
    expect((await patient).width).toBe(10);
    held[1]!();
    // A rendering that gave up holds no memory.
    const both = [1, 2].map(() => reserveRenderMemory(RENDER_BYTES_MAX / 2, 1));
    for (const release of await Promise.all(both)) release();
  });

  it('when it takes longer than the time limit', async () => {
    const limits = { ...LIMITS, timeoutMs: 0 };
    await expect(render(WIDE, 'width=10', limits)).rejects.toThrow('too long');
  });
});
