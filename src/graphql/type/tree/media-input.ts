import { builder } from '../../builder.ts';
import { parseNodeIds, parseOptionalNodeId } from '../../id.ts';
import type { InputFields } from '../../mutation.ts';
import { cutOff, distance } from '../rendition/image.ts';
import { MediaTypeEnum } from './media-type.ts';
import { VisibilityEnum } from './visibility.ts';

/** Texts and custom fields of a media item, which every input may set: of `createMedia`, `updateMedia` and uploads. */
const textFields = (t: InputFields) => ({
  title: t.string({
    description:
      'Title, at most 255 characters. For a new media item, defaults to the given name, then to the filename.',
  }),
  description: t.string({ description: 'Description, at most 10,000 characters.' }),
  keywords: t.string({ description: 'Keywords for searching, at most 1,000 characters.' }),
  altText: t.string({
    description:
      'Text that replaces the image for those who cannot see it, at most 2,000 characters.',
  }),
  caption: t.string({ description: 'Caption, at most 5,000 characters.' }),
  credit: t.string({
    description: 'Credit, such as the photographer and the agency, at most 500 characters.',
  }),
  metadata: t.field({
    type: 'JSON',
    description:
      'Custom fields: a JSON object, which is merged with the existing one by key. Null as the value of a key removes the key. At most 50 keys of 1 to 100 characters, 16 KiB of JSON and 5 levels, the object itself included. Values are stored as given.',
  }),
});

/** Fields that `createMedia` and `updateMedia` may set. */
export const mediaFields = (t: InputFields) => ({
  name: t.string({
    description:
      'Name, 1 to 255 characters. For a new media item, defaults to the title, then to the URL, then to the embed type and id. A new name also becomes the title if the title was the same as the old name.',
  }),
  ...textFields(t),
  imageUrl: t.field({
    type: 'URL',
    description:
      'URL (http or https) of the preview image of a link. Can be changed only for media of type `URL` or `VIMEO`.',
  }),
  ...visibilityField(t),
  isPublic: t.boolean({
    description:
      'Earlier form of `visibility`: true means `PUBLIC`. False makes a public media item `UNLISTED`, and a private one stays private. An `InvalidInputError` if it contradicts `visibility`.',
  }),
  sortOrder: t.int({
    description:
      'Position among the nodes of the same folder, lowest first. For a new media item, defaults to the last position.',
  }),
});

/** The visibility, in every input that sets it. */
export const visibilityField = (t: InputFields) => ({
  visibility: t.field({
    type: VisibilityEnum,
    description:
      'Who may see the media item and read its files. For a new media item, defaults to the visibility that its folder gives, else to the setting `TRIVIUM_VISIBILITY_DEFAULT`.',
  }),
});

/** Fields of every input that creates a media item. */
export const placementFields = (t: InputFields) => ({
  folderId: t.id({
    description:
      'Global id of the folder to create the media item in. If omitted, the media item is unfiled.',
  }),
  tagIds: t.idList({
    description: 'Global ids of the tags to add to the media item, at most 200.',
  }),
});

/** Fields of every input that creates a media item from a file. */
export const newMediaFields = (t: InputFields) => ({
  name: t.string({
    description: 'Name, 1 to 255 characters. Defaults to the title, then to the filename.',
  }),
  ...textFields(t),
  ...visibilityField(t),
  ...cropFields(t),
  ...placementFields(t),
  sortOrder: t.int({
    description:
      'Position among the nodes of the same folder, lowest first. Defaults to the last position.',
  }),
  resource: t.string({
    description:
      'Name of the group of files, `File.resource`, 1 to 255 characters; requires the role `EDITOR`. Defaults to a UUID. If a media item has this name, the file is added to it under `key`: that requires the viewer who created the media item, or the role `ADMIN`. It is then an `InvalidInputError` to give any other property of the media item. A `ConflictError` with the code `ALREADY_EXISTS` if the media item has a file with this key.',
  }),
  key: t.string({
    description:
      'Name of the file in its group, `File.key`, at most 255 characters; requires `resource`. Defaults to an empty string, which is the original.',
  }),
});

/** Fields of every input that creates a media item from an upload. */
export const uploadFields = (t: InputFields) => ({
  type: t.field({
    type: MediaTypeEnum,
    description:
      'Type of the media item. Defaults to the type detected from the content: a file that cannot be decoded here, such as a damaged image, is a `FILE`. `IMAGE` is accepted only for an image that can be decoded.',
  }),
  ...newMediaFields(t),
});

/** Returns the fields of an input with custom fields; the domain checks that they are an object. */
export function withMetadata<Input extends { metadata?: unknown }>(input: Input) {
  return { ...input, metadata: input.metadata as Record<string, unknown> | null | undefined };
}

interface Placement {
  folderId?: string | null | undefined;
  tagIds?: string[] | null | undefined;
}

/** Returns the placement with database ids. Throws InvalidInputError for an id of another type. */
export function toPlacement({ folderId, tagIds }: Placement) {
  return {
    folderId: parseOptionalNodeId('Folder', folderId, 'folderId') ?? null,
    tagIds: parseNodeIds(['Tag'], tagIds ?? [], 'tagIds'),
  };
}

/** The `focalPoint` of an input. */
const FocalPointInput = builder.inputType('FocalPointInput', {
  description:
    'The most important point of an image. Crops without coordinates are centered on it.',
  fields: (t) => ({
    left: t.float({ required: true, description: distance('left', 'width') }),
    top: t.float({ required: true, description: distance('top', 'height') }),
  }),
});

const CropCoordinatesInput = builder.inputType('CropCoordinatesInput', {
  description: 'Area of a crop, given as the part of the image to cut off at each edge.',
  fields: (t) => ({
    x1: t.float({ required: true, description: cutOff('left', 'width') }),
    y1: t.float({ required: true, description: cutOff('top', 'height') }),
    x2: t.float({ required: true, description: cutOff('right', 'width') }),
    y2: t.float({ required: true, description: cutOff('bottom', 'height') }),
  }),
});

/** One of the `crops` of an input. */
const CropInput = builder.inputType('CropInput', {
  description: 'A named crop of an image.',
  fields: (t) => ({
    alias: t.string({
      required: true,
      description: 'Name of the crop, at most 100 characters.',
    }),
    width: t.int({
      required: true,
      description: 'Width of the cropped image in pixels, 1 to 20,000.',
    }),
    height: t.int({
      required: true,
      description: 'Height of the cropped image in pixels, 1 to 20,000.',
    }),
    coordinates: t.field({
      type: CropCoordinatesInput,
      description: 'Area of the crop. If omitted, the crop is centered on the focal point.',
    }),
  }),
});

/** The fields of `updateMedia` that say how the image is cropped. */
export const cropFields = (t: InputFields) => ({
  focalPoint: t.field({
    type: FocalPointInput,
    description: 'The most important point of the image.',
  }),
  crops: t.field({
    type: [CropInput],
    description: 'Named crops of the image, at most 50. They replace all existing crops.',
  }),
});
