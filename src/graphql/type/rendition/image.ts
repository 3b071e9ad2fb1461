import type { File } from '../../../domain/file/file.ts';
import type { Crop, Media } from '../../../domain/tree/media.ts';
import { builder } from '../../builder.ts';

interface ImageShape {
  /** Absolute, or a path on this server. */
  url: string;
  width: number | null;
  height: number | null;
  focalPoint: Media['focalPoint'];
  crops: Crop[];
}

const FocalPointRef = builder.objectRef<{ left: number; top: number }>('FocalPoint').implement({
  description: 'The part of a picture that matters.',
  fields: (t) => ({
    left: t.exposeFloat('left', { description: 'Fraction of the width, 0 to 1.' }),
    top: t.exposeFloat('top', { description: 'Fraction of the height, 0 to 1.' }),
  }),
});

const CropCoordinatesRef = builder
  .objectRef<NonNullable<Crop['coordinates']>>('CropCoordinates')
  .implement({
    description: 'What is cut off at each side.',
    fields: (t) => ({
      x1: t.exposeFloat('x1', { description: 'At the left: a fraction of the width.' }),
      y1: t.exposeFloat('y1', { description: 'At the top: a fraction of the height.' }),
      x2: t.exposeFloat('x2', { description: 'At the right: a fraction of the width.' }),
      y2: t.exposeFloat('y2', { description: 'At the bottom: a fraction of the height.' }),
    }),
  });

const CropRef = builder.objectRef<Crop>('Crop').implement({
  description: 'A cut of a picture that has a name.',
  fields: (t) => ({
    alias: t.exposeString('alias', { description: 'Its name.' }),
    width: t.exposeInt('width', { description: 'Width that it is shown at, in pixels.' }),
    height: t.exposeInt('height', { description: 'Height that it is shown at, in pixels.' }),
    coordinates: t.field({
      type: CropCoordinatesRef,
      nullable: true,
      description: 'Where it is; null: around the focal point.',
      resolve: ({ coordinates }) => coordinates,
    }),
  }),
});

/** The picture of a media: a linked one, or its stored original. */
export const ImageRef = builder.objectRef<ImageShape>('Image').implement({
  description: 'A picture, stored here or linked.',
  fields: (t) => ({
    url: t.field({
      type: 'URL',
      description: 'Where the picture is.',
      resolve: ({ url }, _args, { toUrl }) => (url.startsWith('/') ? toUrl(url) : url),
    }),
    width: t.exposeInt('width', { nullable: true, description: 'In pixels; null if unknown.' }),
    height: t.exposeInt('height', { nullable: true, description: 'In pixels; null if unknown.' }),
    focalPoint: t.field({
      type: FocalPointRef,
      nullable: true,
      description: 'The part that matters; null: never set.',
      resolve: ({ focalPoint }) => focalPoint,
    }),
    crops: t.field({
      type: [CropRef],
      description: 'Its cuts.',
      resolve: ({ crops }) => crops,
    }),
  }),
});

/** A linked picture goes before a stored one; null where there is neither. */
export function toImage(media: Media, original: File | null): ImageShape | null {
  const { focalPoint, crops } = media;
  if (media.imageUrl !== null) {
    const size = { width: media.imageWidth, height: media.imageHeight };
    return { url: media.imageUrl, ...size, focalPoint, crops };
  }
  const isImage = media.type === 'image' || media.type === 'eimage' || media.type === 'vector';
  if (!isImage || original === null) return null;
  const { urlPath: url, width, height } = original;
  return { url, width, height, focalPoint, crops };
}
