import type { MediaFilter } from '../../../domain/tree/media-filter.ts';
import { enumOf } from '../../enum.ts';

/** A shape of the original, as a filter names it. */
export type Orientation = NonNullable<MediaFilter['orientations']>[number];

/** The shapes of images. */
export const OrientationEnum = enumOf<Orientation>(
  'Orientation',
  'Shape of an image, by its width and height as displayed.',
  {
    landscape: 'The width is greater than the height.',
    portrait: 'The height is greater than the width.',
    square: 'The width and the height are equal.',
  },
);
