import sharp, { type Sharp } from 'sharp';
import { describe, expect, it } from 'vitest';
import { planRendition } from '../../src/domain/rendition/plan.ts';
import { parseRenditionRequest } from '../../src/domain/rendition/request.ts';
import { renderImage } from '../../src/media/render.ts';
import { middleOf, plain, uint32s, withChunks } from '../support/image.ts';
import { withFile } from '../support/temporary-file.ts';

const LIMITS = { pixelsMax: 100_000_000, timeoutMs: 60_000 };
const OCHRE = { r: 200, g: 100, b: 50 };
/** The numbers of that color in Display P3. */
const OCHRE_P3 = { r: 187, g: 105, b: 62 };
const GRAY = { r: 128, g: 128, b: 128 };

async function render(bytes: Buffer, query: string): Promise<Buffer> {
  const { format, autoOrient } = await sharp(bytes).metadata();
  const mimeType = format === 'heif' ? 'image/avif' : `image/${format}`;
  const request = parseRenditionRequest(Object.fromEntries(new URLSearchParams(query)))!;
  const plan = planRendition(request, { ...autoOrient, mimeType })!;
  return (await withFile(bytes, (path) => renderImage(path, plan, LIMITS))).bytes;
}

/** Checks the middle of a rendition; encoders that lose something may be off by a little. */
async function expectColor(bytes: Buffer, query: string, wanted: number[], off = 4) {
  const actual = await middleOf(await render(bytes, query));
  const differences = actual.map((value, index) => Math.abs(value - (wanted[index] ?? 255)));
  expect(Math.max(...differences), `${query}: ${actual}`).toBeLessThanOrEqual(off);
}

const HALF = 0.5;
const TRANSPARENT = {
  PNG: plain({ ...OCHRE, alpha: HALF }).png(),
  'PNG of 16 bits': plain({ ...OCHRE, alpha: HALF })
    .toColourspace('rgb16')
    .png(),
  WebP: plain({ ...OCHRE, alpha: HALF }).webp({ lossless: true }),
  AVIF: plain({ ...OCHRE, alpha: HALF }).avif({ lossless: true }),
  TIFF: plain({ ...OCHRE, alpha: HALF }).tiff({ compression: 'lzw' }),
};

describe('half transparent pixels', () => {
  it.each(Object.entries(TRANSPARENT))('of a %s', async (_, image) => {
    const bytes = await image.toBuffer();
    await expectColor(bytes, 'format=jpg', [228, 178, 153]);
    await expectColor(bytes, 'format=jpg&bgcolor=teal', [100, 114, 89]);
    await expectColor(bytes, 'width=30&format=jpg&bgcolor=black', [100, 50, 25]);
    await expectColor(bytes, 'width=30&format=webp', [200, 100, 50, 128]);
    await expectColor(bytes, 'width=30&format=webp&bgcolor=teal', [100, 114, 89, 255]);
    // Half of it on half of teal.
    await expectColor(bytes, 'format=png&width=30&bgcolor=00808080', [133, 109, 76, 192]);
  });

  it('of a gray image may be in front of a color', async () => {
    for (const space of ['b-w', 'grey16']) {
      const gray = plain({ ...GRAY, alpha: HALF }).toColourspace(space);
      const bytes = await gray.png().toBuffer();
      await expectColor(bytes, 'format=jpg', [191, 191, 191]);
      await expectColor(bytes, 'format=jpg&bgcolor=blue', [64, 64, 191]);
    }
  });

  it('do not keep the palette of a GIF from having the background', async () => {
    const clear = await plain({ r: 255, g: 0, b: 0, alpha: 0 }).gif().toBuffer();
    await expectColor(clear, 'bgcolor=teal', [0, 128, 128]);
    await expectColor(clear, 'format=jpg', [255, 255, 255]);
  });
});

describe('the colors of a rendition', () => {
  const ICC = {
    'JPEG in Display P3': plain(OCHRE).withIccProfile('p3').jpeg({ quality: 100 }),
    'PNG in Display P3': plain(OCHRE).withIccProfile('p3').png(),
    'WebP in Display P3': plain(OCHRE).withIccProfile('p3').webp({ lossless: true }),
    'PNG of 16 bits': plain(OCHRE).toColourspace('rgb16').png(),
    'PNG of 16 bits in Display P3': plain(OCHRE).toColourspace('rgb16').withIccProfile('p3').png(),
    'PNG of 16 bits in sRGB': plain(OCHRE).toColourspace('rgb16').withIccProfile('srgb').png(),
    'AVIF of 10 bits in Display P3': plain(OCHRE)
      .withIccProfile('p3')
      .avif({ bitdepth: 10, lossless: true }),
  };

  it.each(Object.entries(ICC))('are those of a %s', async (_, image) => {
    const bytes = await image.toBuffer();
    for (const query of ['width=30&height=30&mode=crop', 'width=50&height=50&bgcolor=teal']) {
      await expectColor(bytes, query, [200, 100, 50]);
    }
  });

  it('of a JPEG in CMYK do not depend on the background', async () => {
    const cmyk = await plain(OCHRE).toColourspace('cmyk').withIccProfile('cmyk').jpeg().toBuffer();
    const colors = ['width=30', 'width=50&height=50', 'width=50&height=50&bgcolor=teal'];
    for (const query of colors) await expectColor(cmyk, query, [195, 94, 24]);
  });

  const P3_CHROMATICITIES = uint32s(31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000);
  const SRGB_CHROMATICITIES = uint32s(31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000);
  const CHUNKS: Record<string, [color: object, chunks: Record<string, Buffer>, wanted: number[]]> =
    {
      // (128 / 255) in the curve of sRGB.
      'a gamma of 1': [GRAY, { gAMA: uint32s(100_000) }, [188, 188, 188]],
      'a gamma of 1.8': [GRAY, { gAMA: uint32s(55_556) }, [146, 146, 146]],
      'nearly the gamma of sRGB': [
        GRAY,
        { gAMA: uint32s(45_455), cHRM: SRGB_CHROMATICITIES },
        [128],
      ],
      'a gamma that sRGB overrules': [GRAY, { gAMA: uint32s(100_000), sRGB: Buffer.of(0) }, [128]],
      'chromaticities of P3': [OCHRE_P3, { cHRM: P3_CHROMATICITIES }, [200, 100, 50]],
      'code points of P3': [OCHRE_P3, { cICP: Buffer.of(12, 13, 0, 1) }, [200, 100, 50]],
      'code points of HDR': [OCHRE, { cICP: Buffer.of(9, 16, 0, 1) }, [200, 100, 50]],
      'a gamma of 0': [GRAY, { gAMA: uint32s(0) }, [128]],
      'a chunk that is too short': [GRAY, { gAMA: Buffer.of(1), cHRM: Buffer.of(1) }, [128]],
      'chromaticities of 0': [GRAY, { cHRM: uint32s(...Array(8).fill(0)) }, [128]],
    };

  it.each(Object.entries(CHUNKS))('of a PNG follow %s', async (_, [color, chunks, wanted]) => {
    const png = await plain(color as typeof GRAY)
      .png()
      .toBuffer();
    const all = wanted.length === 1 ? Array(3).fill(wanted[0]) : wanted;
    const bytes = withChunks(png, chunks);
    await expectColor(bytes, 'width=30', all, 2);
    await expectColor(bytes, 'width=50&height=50&format=jpg', all);
  });

  it('of a PNG of 16 bits follow its chromaticities', async () => {
    const png = await plain(OCHRE_P3).toColourspace('rgb16').png().toBuffer();
    const bytes = withChunks(png, { cHRM: P3_CHROMATICITIES });
    await expectColor(bytes, 'width=30', [200, 100, 50], 2);
  });

  it.each([
    ['of 16 bits', (image: Sharp) => image.toColourspace('rgb16').png()],
    ['that is gray', (image: Sharp) => image.toColourspace('b-w').png()],
    ['that is gray, of 16 bits', (image: Sharp) => image.toColourspace('grey16').png()],
    ['with a palette', (image: Sharp) => image.png({ palette: true })],
  ])('of a PNG %s follow its gamma', async (_, encode) => {
    for (const alpha of [1, HALF]) {
      const bytes = await encode(plain({ ...GRAY, alpha })).toBuffer();
      const linear = withChunks(bytes, { gAMA: uint32s(100_000) });
      await expectColor(linear, 'width=30', [188, 188, 188, Math.round(255 * alpha)]);
    }
  });
});
