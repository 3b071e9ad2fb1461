import type { FieldNode } from 'graphql';
import type { Crop } from '../../../domain/attribute.ts';
import type { File } from '../../../domain/file/file.ts';
import {
  IMAGE_URL_NEEDS,
  type ImageInput,
  imagePathOf,
  type SrcsetInput,
  srcsetLength,
  srcsetOf,
} from '../../../domain/rendition/image-url.ts';
import type { Media } from '../../../domain/tree/media.ts';
import { builder, type GraphqlContext } from '../../builder.ts';
import type { PlannedField } from '../../execution/plan.ts';
import { expose, exposeNullable } from '../../expose.ts';
import { pricedByRenditions } from '../../price.ts';
import { toFileUrl, URL_NEEDS } from '../file/file-url.ts';
import { LOOK_ARGS, SIZE_ARGS, SRCSET_ARGS } from './image-args.ts';

/** A linked image, or a stored file: an original, or a file derived from one. */
export interface ImageShape {
  /** Of a linked image; null: `file` is the image. */
  linkedUrl: string | null;
  file: File | null;
  width: number | null;
  height: number | null;
  focalPoint: Media['focalPoint'];
  crops: Crop[];
}

/** Describes a coordinate of a focal point, of an image or of an input. */
export const distance = (edge: string, side: string) =>
  `Distance from the ${edge} edge, as a fraction of the ${side}: 0 to 1.`;

/** Describes a coordinate of a crop, of an image or of an input. */
export const cutOff = (edge: string, side: string) =>
  `Part to cut off at the ${edge} edge, as a fraction of the ${side}: 0 to 1.`;

const FocalPointRef = builder.objectRef<{ left: number; top: number }>('FocalPoint').implement({
  description:
    'The most important point of an image. Crops without coordinates are centered on it.',
  fields: (t) => ({
    left: t.exposeFloat('left', { description: distance('left', 'width') }),
    top: t.exposeFloat('top', { description: distance('top', 'height') }),
  }),
});

const CropCoordinatesRef = builder
  .objectRef<NonNullable<Crop['coordinates']>>('CropCoordinates')
  .implement({
    description: 'Area of a crop, given as the part of the image to cut off at each edge.',
    fields: (t) => ({
      x1: t.exposeFloat('x1', { description: cutOff('left', 'width') }),
      y1: t.exposeFloat('y1', { description: cutOff('top', 'height') }),
      x2: t.exposeFloat('x2', { description: cutOff('right', 'width') }),
      y2: t.exposeFloat('y2', { description: cutOff('bottom', 'height') }),
    }),
  });

const CropRef = builder.objectRef<Crop>('Crop').implement({
  description: 'A named crop of an image.',
  fields: (t) => ({
    alias: t.exposeString('alias', { description: 'Name of the crop.' }),
    ...expose(t, 'Int', {
      width: 'Width of the cropped image in pixels.',
      height: 'Height of the cropped image in pixels.',
    }),
    coordinates: t.field({
      type: CropCoordinatesRef,
      nullable: true,
      description: 'Area of the crop. Null if the crop is centered on the focal point.',
      resolve: ({ coordinates }) => coordinates,
    }),
  }),
});

const RENDITION_ARGS = Object.keys({ ...SIZE_ARGS, ...LOOK_ARGS });

/** The image of a media item: a linked image, or its stored original. */
export const ImageRef = builder.objectRef<ImageShape>('Image').implement({
  description: 'An image, stored on this server or linked.',
  fields: (t) => ({
    url: t.field({
      type: 'URL',
      description:
        'URL of the image. With arguments, the URL of a rendition: the server scales, cuts and encodes the image when the URL is first requested. Images are never enlarged: a size beyond the image is reduced, and its aspect ratio is kept. The URL of a rendition always returns the same bytes (`Cache-Control: immutable`). When the file, its focal point or its crops change, the URL changes, and the old one redirects to the new one. Equal renditions have the same URL. The only parameter that it takes is `?download=1`. Linked images, and files that the server cannot draw, have no renditions: arguments do not change their URL. For a stored image of a private media item, it is a signed URL that is valid for one to two hours. If the server requires a credential, sizes are rounded up to usual ones for viewers without a credential. Fails with `INVALID_INPUT` for a size or quality out of range.',
      args: { ...SIZE_ARGS, ...LOOK_ARGS },
      ...pricedByRenditions((read) => Number(RENDITION_ARGS.some((name) => read(name) != null))),
      resolve: (image, args, context) => urlOf(image, args, context),
    }),
    srcset: t.string({
      description:
        'Renditions of several widths, as the value of the attribute `srcset` of `<img>` and `<source>`: `https://… 320w, https://… 640w`. Each URL is one that `url` returns. Widths beyond that of the image are reduced to it. For linked images, and files that the server cannot draw, it is their URL alone. Fails with `INVALID_INPUT` for values out of range.',
      args: { ...SRCSET_ARGS, ...LOOK_ARGS },
      ...pricedByRenditions((read) => srcsetLength(read('widths'))),
      resolve: (image, args, context) => srcsetText(image, args, context),
    }),
    ...exposeNullable(t, 'Int', {
      width: 'Width in pixels. Null if unknown.',
      height: 'Height in pixels. Null if unknown.',
    }),
    focalPoint: t.field({
      type: FocalPointRef,
      nullable: true,
      description: 'The most important point of the image. Null if it has not been set.',
      resolve: ({ focalPoint }) => focalPoint,
    }),
    crops: t.field({
      type: [CropRef],
      description: 'Named crops of the image.',
      resolve: ({ crops }) => crops,
    }),
  }),
});

builder.objectFields(ImageRef, (t) => ({
  thumbhash: t.string({
    nullable: true,
    description:
      'Placeholder to show until the image has loaded: a ThumbHash of about 28 bytes, in Base64, with the aspect ratio of the image. Null for a linked image, and until a background job has computed it, shortly after the upload.',
    resolve: ({ file }) => file?.thumbhash,
  }),
  dominantColor: t.string({
    nullable: true,
    description:
      'Most frequent color of the image, such as `#d2b48c`. Transparent pixels do not count. Null where `thumbhash` is.',
    resolve: ({ file }) => file?.color,
  }),
  hasAlpha: t.boolean({
    nullable: true,
    description:
      'Whether parts of the image are transparent or translucent; of an animation, of its first frame. False for an image whose alpha channel is opaque everywhere. Null where `thumbhash` is.',
    resolve: ({ file }) => file?.hasAlpha,
  }),
  isAnimated: t.boolean({
    nullable: true,
    description:
      'Whether the image is an animation: a GIF, WebP, PNG or AVIF of several frames. Null where `thumbhash` is.',
    resolve: ({ file }) => file?.isAnimated,
  }),
}));

/** Fields of a stored image's file that the fields of `Image` need, besides the URLs of renditions. */
const IMAGE_NEEDS = [
  ...URL_NEEDS,
  ...(['width', 'height', 'thumbhash', 'color', 'hasAlpha', 'isAnimated'] as const),
];

/** Returns the properties of the file that the selected fields of an image read. */
export function imageNeeds({ output }: PlannedField): readonly (keyof File)[] {
  if (output.kind !== 'object') return IMAGE_NEEDS;
  const hasRenditions = output.selections
    .fieldsOf(output.type)
    .some(
      ({ nodes: [node], definition: { name } }) => name === 'srcset' || isRendition(node, name),
    );
  return hasRenditions ? [...IMAGE_NEEDS, ...IMAGE_URL_NEEDS] : IMAGE_NEEDS;
}

function isRendition(node: FieldNode, name: string): boolean {
  return name === 'url' && (node.arguments ?? []).length > 0;
}

/** Returns the linked image of a media item, else its stored image; null if it has neither. */
export function toImage(media: Media, original: File | null): ImageShape | null {
  const { focalPoint, crops } = media;
  if (media.imageUrl !== null) {
    const size = { width: media.imageWidth, height: media.imageHeight };
    return { linkedUrl: media.imageUrl, file: null, ...size, focalPoint, crops };
  }
  const isImage = media.type === 'image' || media.type === 'eimage' || media.type === 'vector';
  return isImage && original !== null ? toStoredImage(media, original) : null;
}

/** Returns the image of a media item that one of its files shows. */
export function toStoredImage(
  { focalPoint, crops }: Pick<Media, 'focalPoint' | 'crops'>,
  file: File,
): ImageShape {
  const { width, height } = file;
  return { linkedUrl: null, file, width, height, focalPoint, crops };
}

/** Returns the URL of an image, or of the rendition that the arguments describe. */
function urlOf(image: ImageShape, args: ImageInput, context: GraphqlContext): string {
  const { linkedUrl, file } = image;
  if (linkedUrl !== null || file === null) return linkedUrl ?? '';
  const isPlain = Object.values(args).every((value) => value == null);
  const path = isPlain ? null : imagePathOf(context.domain, file, image, args);
  return path === null ? toFileUrl(file, context) : context.toUrl(path);
}

function srcsetText(image: ImageShape, args: SrcsetInput, context: GraphqlContext): string {
  const { file } = image;
  const candidates = file && srcsetOf(context.domain, file, image, args);
  if (candidates === null) return asCandidate(urlOf(image, {}, context));
  return candidates.map(({ path, width }) => `${context.toUrl(path)} ${width}w`).join(', ');
}

/** Encodes the characters that would end a URL in a `srcset`: white space, and commas at either end. */
function asCandidate(url: string): string {
  return url.replace(/\s|^,+|,+$/g, encodeURIComponent);
}
