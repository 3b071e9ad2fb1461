import { describe, expect, it } from 'vitest';
import { type Fit, type FitRequest, fitRequest } from '../../../src/domain/rendition/fit.ts';
import type { Focus } from '../../../src/domain/rendition/focus.ts';
import { type RenderFormat, renderImage } from '../../../src/media/render.ts';
import { colorDifference, type Pixels, structuralSimilarity } from '../../support/ssim.ts';
import { withFile } from '../../support/temporary-file.ts';
import { drawReference, onWhite, resample } from './reference.ts';
import { SCENE } from './scene.ts';
import { KINDS, type Kind, shownBy, toPixels, toSharp } from './source.ts';

/** `all`: every orientation × kind of file × fit × format. Without it, each orientation of a fit has one of the formats. */
const IS_ALL = process.env.TRIVIUM_TEST_SIMILARITY === 'all';

const SIMILARITY_MIN = 0.98;
/** Numbers of Display P3 that are shown as those of sRGB differ by more. */
const COLOR_DIFFERENCE_MAX = 5;
const QUALITY = 90;
const LIMITS = { pixelsMax: 1_000_000, timeoutMs: 60_000 };
const FORMATS: readonly RenderFormat[] = ['jpeg', 'png', 'webp', 'gif', 'avif'];
const FOCUS = { left: 0.6, top: 0.3 };

const BOXES = {
  contain: { width: 120, height: 120 },
  cover: { width: 100, height: 120 },
  fill: { width: 80, height: 120 },
  inside: { width: 48, height: 100 },
  outside: { width: 80, height: 80 },
} satisfies Record<Fit, unknown>;
const TURNED = ['JPEG', 'PNG with alpha', 'WebP', 'TIFF'];
const FITS = Object.keys(BOXES) as Fit[];

describe.each(KINDS)('a rendition of a $name', (kind) => {
  const fileOf = keep(kind.encode);
  const shown = keep(() => shownBy(kind));

  it.each(FITS)(
    'looks as CSS would draw the image, in every orientation and format: %s',
    async (fit) => {
      const drawn = drawReference(await shown(1), { fit, box: BOXES[fit], focus: FOCUS });
      const reference = keep((format: RenderFormat) => encoded(drawn, format));
      const different: string[] = [];
      for (const [format, orientation] of cases(kind, fit)) {
        const bytes = await render(await fileOf(orientation), kind, { ...BOXES[fit], fit, format });
        const difference = compare(format, await toPixels(bytes), await reference(format));
        if (difference !== null)
          different.push(`${format}, orientation ${orientation}: ${difference}`);
      }
      expect(different).toEqual([]);
    },
  );
});

describe.each(KINDS.filter(({ name }) => TURNED.includes(name)))('a crop of a $name', (kind) => {
  it('is cut out of the image as it is shown, in every orientation', async () => {
    // The sun, in pixels of the scene.
    const part = { left: 208, top: 12, width: 80, height: 80 };
    const reference = resample(kind.scene, part, { width: 40, height: 40 });
    const right = SCENE.width - part.left - part.width;
    const bottom = SCENE.height - part.top - part.height;
    const coordinates = {
      x1: part.left / SCENE.width,
      y1: part.top / SCENE.height,
      x2: right / SCENE.width,
      y2: bottom / SCENE.height,
    };
    const crops = [{ alias: 'sun', width: 40, height: 40, coordinates }];
    for (const orientation of [1, 2, 3, 4, 5, 6, 7, 8]) {
      const wanted = { width: null, height: null, fit: 'contain', crop: 'sun' } as const;
      const file = await kind.encode(orientation);
      const bytes = await render(file, kind, { ...wanted, format: 'png' }, { crops });
      const difference = compare('png', await toPixels(bytes), reference);
      expect(difference, `orientation ${orientation}`).toBeNull();
    }
  });
});

/** Returns the same function, which computes each value once. */
function keep<Key, Value>(compute: (key: Key) => Promise<Value>): (key: Key) => Promise<Value> {
  const known = new Map<Key, Promise<Value>>();
  return (key) => {
    const value = known.get(key) ?? compute(key);
    known.set(key, value);
    return value;
  };
}

/** Returns how a rendition differs from its reference; null if it does not. */
function compare(format: RenderFormat, rendition: Pixels, reference: Pixels): string | null {
  // The pixels that a GIF mixes its few colors of are right in the mean only.
  const [one, other] =
    format === 'gif' ? [half(rendition), half(reference)] : [rendition, reference];
  const similarity = structuralSimilarity(one, other);
  const difference = colorDifference(one, other);
  const isSame = similarity >= SIMILARITY_MIN && difference <= COLOR_DIFFERENCE_MAX;
  return isSame ? null : `similarity ${similarity.toFixed(4)}, colors ${difference.toFixed(1)}`;
}

function half(image: Pixels): Pixels {
  const { width, height } = image;
  const size = { width: Math.ceil(width / 2), height: Math.ceil(height / 2) };
  return resample(image, { left: 0, top: 0, width, height }, size);
}

/** Returns which renditions are compared. */
function cases(kind: Kind, fit: Fit): [RenderFormat, orientation: number][] {
  const orientations = kind.hasOrientation ? [1, 2, 3, 4, 5, 6, 7, 8] : [1];
  const first = FITS.indexOf(fit) + KINDS.indexOf(kind);
  return orientations.flatMap((orientation) => {
    const one = FORMATS[(first + orientation) % FORMATS.length]!;
    const formats = IS_ALL || orientations.length === 1 ? FORMATS : [one];
    return formats.map((format): [RenderFormat, number] => [format, orientation]);
  });
}

async function render(
  file: Buffer,
  { mimeType }: Kind,
  wanted: Omit<FitRequest, 'quality' | 'crop'> & { crop?: string },
  { crops = [] }: Partial<Focus> = {},
): Promise<Buffer> {
  const request = { crop: null, ...wanted, quality: QUALITY };
  const fitted = fitRequest(request, { ...SCENE, mimeType }, { focalPoint: FOCUS, crops });
  // The number that the reference is encoded with: the quality of an AVIF is a lower one.
  const plan = { ...fitted, quality: fitted.quality === null ? null : QUALITY };
  return (await withFile(file, (path) => renderImage(path, plan, LIMITS))).bytes;
}

/** Returns the pixels after they have been encoded as a rendition is. */
async function encoded(drawn: Pixels, format: RenderFormat): Promise<Pixels> {
  const image = toSharp(format === 'jpeg' ? onWhite(drawn) : drawn);
  const options = format === 'png' || format === 'gif' ? {} : { quality: QUALITY };
  // As ours does, and as every WebP: colors at half the resolution.
  const sampling = format === 'avif' ? { chromaSubsampling: '4:2:0' } : {};
  return toPixels(await image.toFormat(format, { ...options, ...sampling }).toBuffer());
}
