import { NotFoundError } from '../../../domain/error.ts';
import { createMedia, type LINK_TYPES } from '../../../domain/tree/link.ts';
import type { Media } from '../../../domain/tree/media.ts';
import { deleteMedia, updateMedia } from '../../../domain/tree/media-change.ts';
import { builder } from '../../builder.ts';
import { parseNodeId, parseNodeIds, parseOptionalNodeId } from '../../id.ts';
import { MediaRef } from './media.ts';
import { MediaTypeEnum } from './media-type.ts';

const CreateMediaInput = builder.inputType('CreateMediaInput', {
  description: 'Input of `createMedia`.',
  fields: (t) => ({
    type: t.field({
      type: MediaTypeEnum,
      required: true,
      description:
        'URL, VIMEO or IMAGE, which need `url`; EMBED or SHARE, which need `embedType` and `embedId`.',
    }),
    url: t.field({
      type: 'URL',
      description: 'Of the page, the video or the picture: http or https.',
    }),
    embedType: t.string({ description: 'What it is in the other system, at most 100 characters.' }),
    embedId: t.string({ description: 'Its id there, at most 255 characters.' }),
    embedUrl: t.field({ type: 'URL', description: 'Where it is there: http or https.' }),
    embedMetadata: t.field({
      type: 'JSON',
      description: 'An object about it, of at most 64 levels; kept as it is.',
    }),
    name: t.string({
      description: '1 to 255 characters; default: the title, else the address, else type and id.',
    }),
    title: t.string({ description: 'At most 255 characters; default: the name.' }),
    description: t.string({ description: 'At most 10,000 characters.' }),
    keywords: t.string({ description: 'At most 1,000 characters.' }),
    imageUrl: t.field({ type: 'URL', description: 'A preview: http or https.' }),
    isPublic: t.boolean({ description: 'Default false.' }),
    folderId: t.id({ description: 'The folder to put it in; without: unfiled.' }),
    sortOrder: t.int({ description: 'Place among its siblings; without: the last.' }),
    tagIds: t.idList({ description: 'Tags to give it, at most 200.' }),
  }),
});

const CreateMediaSuccess = builder.objectRef<{ media: Media }>('CreateMediaSuccess').implement({
  description: 'The media was made.',
  fields: (t) => ({ media: t.expose('media', { type: MediaRef, description: 'The new media.' }) }),
});

builder.mutationField('createMedia', (t) =>
  t.field({
    type: CreateMediaSuccess,
    errors: { types: [NotFoundError] },
    description: 'Makes a media without bytes: a link, an embed, a share.',
    args: {
      input: t.arg({ type: CreateMediaInput, required: true, description: 'What it shall be.' }),
    },
    resolve: async (_root, { input }, { domain }) => {
      const { folderId, tagIds, embedMetadata, ...rest } = input;
      const media = await createMedia(domain, {
        ...rest,
        // The operation says which types it takes, in one place for every road.
        type: input.type as (typeof LINK_TYPES)[number],
        // So whether it is an object.
        embedMetadata: embedMetadata as Record<string, unknown> | null | undefined,
        folderId: parseOptionalNodeId('Folder', folderId, 'folderId') ?? null,
        tagIds: parseNodeIds(['Tag'], tagIds ?? [], 'tagIds'),
      });
      return { media };
    },
  }),
);

const FocalPointInput = builder.inputType('FocalPointInput', {
  description: 'The part of a picture that matters.',
  fields: (t) => ({
    left: t.float({ required: true, description: 'Fraction of the width, 0 to 1.' }),
    top: t.float({ required: true, description: 'Fraction of the height, 0 to 1.' }),
  }),
});

const CropCoordinatesInput = builder.inputType('CropCoordinatesInput', {
  description: 'What is cut off at each side, as fractions of the size.',
  fields: (t) => ({
    x1: t.float({ required: true, description: 'At the left, 0 to 1.' }),
    y1: t.float({ required: true, description: 'At the top, 0 to 1.' }),
    x2: t.float({ required: true, description: 'At the right, 0 to 1.' }),
    y2: t.float({ required: true, description: 'At the bottom, 0 to 1.' }),
  }),
});

const CropInput = builder.inputType('CropInput', {
  description: 'A cut of a picture that has a name.',
  fields: (t) => ({
    alias: t.string({ required: true, description: 'Its name, at most 100 characters.' }),
    width: t.int({ required: true, description: 'In pixels, 1 to 20,000.' }),
    height: t.int({ required: true, description: 'In pixels, 1 to 20,000.' }),
    coordinates: t.field({
      type: CropCoordinatesInput,
      description: 'Without: by the focal point.',
    }),
  }),
});

const UpdateMediaInput = builder.inputType('UpdateMediaInput', {
  description: 'Input of `updateMedia`: what is absent stays, null clears.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'The media.' }),
    name: t.string({
      description: '1 to 255 characters; a title that was the name follows it. Null: it stays.',
    }),
    sortOrder: t.int({
      description: 'Place among its siblings, lowest first. Null: it stays.',
    }),
    title: t.string({ description: 'At most 255 characters.' }),
    description: t.string({ description: 'At most 10,000 characters.' }),
    keywords: t.string({ description: 'At most 1,000 characters.' }),
    imageUrl: t.field({ type: 'URL', description: 'The picture of a URL or VIMEO media.' }),
    focalPoint: t.field({
      type: FocalPointInput,
      description: 'The part of the picture that matters.',
    }),
    crops: t.field({ type: [CropInput], description: 'All cuts of the picture, at most 50.' }),
    isPublic: t.boolean({ description: 'Whether anyone may see it. Null: it stays.' }),
  }),
});

const UpdateMediaSuccess = builder.objectRef<{ media: Media }>('UpdateMediaSuccess').implement({
  description: 'The media was changed.',
  fields: (t) => ({
    media: t.expose('media', { type: MediaRef, description: 'The media as it is now.' }),
  }),
});

builder.mutationField('updateMedia', (t) =>
  t.field({
    type: UpdateMediaSuccess,
    errors: { types: [NotFoundError] },
    description: 'Changes a media. Its creator or an admin may.',
    args: { input: t.arg({ type: UpdateMediaInput, required: true, description: 'The change.' }) },
    resolve: async (_root, { input }, { domain }) => {
      const { id, name, sortOrder, isPublic, ...change } = input;
      const media = await updateMedia(domain, parseNodeId('Media', id, 'id'), {
        ...change,
        name: name ?? undefined,
        sortOrder: sortOrder ?? undefined,
        isPublic: isPublic ?? undefined,
      });
      return { media };
    },
  }),
);

const DeleteMediaInput = builder.inputType('DeleteMediaInput', {
  description: 'Input of `deleteMedia`.',
  fields: (t) => ({ id: t.id({ required: true, description: 'The media.' }) }),
});

const DeleteMediaSuccess = builder.objectRef<{ id: string }>('DeleteMediaSuccess').implement({
  description: 'The media is gone; its bytes follow.',
  fields: (t) => ({ deletedId: t.exposeID('id', { description: 'Global id that it had.' }) }),
});

builder.mutationField('deleteMedia', (t) =>
  t.field({
    type: DeleteMediaSuccess,
    errors: { types: [NotFoundError] },
    description: 'Deletes a media, its files and their bytes. Its creator or an admin may.',
    args: { input: t.arg({ type: DeleteMediaInput, required: true, description: 'Which one.' }) },
    resolve: async (_root, { input }, { domain }) => {
      await deleteMedia(domain, parseNodeId('Media', input.id, 'id'));
      return input;
    },
  }),
);
