import type { Fit } from '../../../domain/rendition/fit.ts';
import type { ImageFormat } from '../../../domain/rendition/parameters.ts';
import { builder } from '../../builder.ts';
import { enumOf } from '../../enum.ts';

const ImageFitEnum = enumOf<Fit>(
  'ImageFit',
  'How an image is fitted into a width and a height. With one of the two, the image is scaled, whatever the fit is.',
  {
    contain:
      'The whole image, centered, with transparent bars where it does not fill the size. In a JPEG, the bars are white.',
    cover:
      'The image fills the size. The overhang is cut off, so that the focal point stays as close to the center as possible.',
    fill: 'The image fills the size and may be distorted.',
    inside: 'The whole image, as large as possible within the size, without bars.',
    outside: 'The whole image, as small as possible while it covers the size.',
  },
);

const ImageFormatEnum = enumOf<ImageFormat>('ImageFormat', 'Format of a rendition.', {
  original: 'The format of the image, or WebP if the server does not write that format.',
  auto: 'The best format that the client names in its `Accept` header: AVIF, else WebP, else JPEG, PNG or GIF, whichever suits the image. The response has `Vary: Accept`. A background job renders AVIF; until then, the URL returns WebP, which caches keep for a minute.',
  jpeg: 'JPEG. Transparent pixels become white. Of an animation, the first frame.',
  png: 'PNG. Of an animation, the first frame.',
  webp: 'WebP.',
  avif: 'AVIF. A background job renders it; until then, the URL returns WebP, which caches keep for a minute. Animations are always WebP.',
  gif: 'GIF.',
});

/** The arguments of a rendition that say how large it is. */
export const SIZE_ARGS = builder.args((t) => ({
  width: t.int({ description: 'Width in pixels, from 1 to 5000.' }),
  height: t.int({ description: 'Height in pixels, from 1 to 5000.' }),
}));

/** The arguments of a `srcset` that say how large its renditions are. */
export const SRCSET_ARGS = builder.args((t) => ({
  widths: t.intList({
    description:
      'Widths in pixels, at most 20, each from 1 to 5000. Defaults to 160, 320, 640, 960, 1280, 1920, 2560 and 3840.',
  }),
  aspectRatio: t.float({
    description:
      'Width divided by height, from 0.01 to 100. The image is cut to this ratio around its focal point, unless `fit` says otherwise. Defaults to the ratio of the image or the crop.',
  }),
}));

/** The arguments of a rendition that say how it looks. */
export const LOOK_ARGS = builder.args((t) => ({
  fit: t.field({
    type: ImageFitEnum,
    description: 'How the image is fitted into the size. Defaults to `CONTAIN`.',
  }),
  format: t.field({ type: ImageFormatEnum, description: 'Format. Defaults to `ORIGINAL`.' }),
  quality: t.int({
    description:
      'Quality of JPEG, WebP and AVIF, from 1 to 100, on the scale of JPEG: the server encodes an AVIF with a lower number that looks the same, 55 for 80. Defaults to 80.',
  }),
  crop: t.string({
    description:
      'Alias of the crop to cut out first: see `crops`. Ignored for an image that has no such crop, because the images of a list may have different crops.',
  }),
}));
