import { NotFoundError } from '../../../domain/error.ts';
import { createTag, deleteTag, type Tag, updateTag } from '../../../domain/tag/tag.ts';
import type { Media } from '../../../domain/tree/media.ts';
import { tagMedia } from '../../../domain/tree/tagging.ts';
import { builder } from '../../builder.ts';
import { parseNodeId, parseNodeIds } from '../../id.ts';
import { MediaRef } from '../tree/media.ts';
import { TagRef } from './tag.ts';

const CreateTagInput = builder.inputType('CreateTagInput', {
  description: 'Input of `createTag`.',
  fields: (t) => ({
    name: t.string({ required: true, description: '1 to 64 characters; need not be unique.' }),
    description: t.string({ description: 'At most 500 characters.' }),
    color: t.string({ description: 'A CSS colour; default `#ffffff`.' }),
    visible: t.boolean({ description: 'Default true.' }),
    active: t.boolean({ description: 'Default true.' }),
  }),
});

const CreateTagSuccess = builder.objectRef<{ tag: Tag }>('CreateTagSuccess').implement({
  description: 'The tag was made.',
  fields: (t) => ({ tag: t.expose('tag', { type: TagRef, description: 'The new tag.' }) }),
});

builder.mutationField('createTag', (t) =>
  t.field({
    type: CreateTagSuccess,
    errors: {},
    description: 'Makes a tag. Anyone may while authentication is open, else an admin.',
    args: { input: t.arg({ type: CreateTagInput, required: true, description: 'The tag.' }) },
    resolve: async (_root, { input }, { domain }) => ({ tag: await createTag(domain, input) }),
  }),
);

const UpdateTagInput = builder.inputType('UpdateTagInput', {
  description: 'Input of `updateTag`: what is absent stays.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'The tag.' }),
    name: t.string({ description: '1 to 64 characters.' }),
    description: t.string({ description: 'At most 500 characters; null clears it.' }),
    color: t.string({ description: 'A CSS colour; null: the default.' }),
    visible: t.boolean({ description: 'Whether clients should show it.' }),
    active: t.boolean({ description: 'Whether clients should offer it.' }),
  }),
});

const UpdateTagSuccess = builder.objectRef<{ tag: Tag }>('UpdateTagSuccess').implement({
  description: 'The tag was changed.',
  fields: (t) => ({ tag: t.expose('tag', { type: TagRef, description: 'The tag as it is now.' }) }),
});

builder.mutationField('updateTag', (t) =>
  t.field({
    type: UpdateTagSuccess,
    errors: { types: [NotFoundError] },
    description: 'Changes a tag. Anyone may while authentication is open, else an admin.',
    args: { input: t.arg({ type: UpdateTagInput, required: true, description: 'The change.' }) },
    resolve: async (_root, { input }, { domain }) => {
      const { id, name, ...change } = input;
      const tag = { ...change, name: name ?? undefined };
      return { tag: await updateTag(domain, parseNodeId('Tag', id, 'id'), tag) };
    },
  }),
);

const DeleteTagInput = builder.inputType('DeleteTagInput', {
  description: 'Input of `deleteTag`.',
  fields: (t) => ({ id: t.id({ required: true, description: 'The tag.' }) }),
});

const DeleteTagSuccess = builder.objectRef<{ id: string }>('DeleteTagSuccess').implement({
  description: 'The tag is gone.',
  fields: (t) => ({ deletedId: t.exposeID('id', { description: 'Global id that it had.' }) }),
});

builder.mutationField('deleteTag', (t) =>
  t.field({
    type: DeleteTagSuccess,
    errors: { types: [NotFoundError] },
    description:
      'Deletes a tag and takes it off all media. Anyone may while authentication is open, else an admin.',
    args: { input: t.arg({ type: DeleteTagInput, required: true, description: 'Which one.' }) },
    resolve: async (_root, { input }, { domain }) => {
      await deleteTag(domain, parseNodeId('Tag', input.id, 'id'));
      return { id: input.id };
    },
  }),
);

const TagMediaInput = builder.inputType('TagMediaInput', {
  description: 'Input of `tagMedia`.',
  fields: (t) => ({
    mediaIds: t.idList({ required: true, description: 'The media, at most 200.' }),
    addTagIds: t.idList({ description: 'Tags to give to each, at most 200.' }),
    removeTagIds: t.idList({ description: 'Tags to take off each, at most 200.' }),
  }),
});

const TagMediaSuccess = builder.objectRef<{ medias: Media[] }>('TagMediaSuccess').implement({
  description: 'All of the media have their tags.',
  fields: (t) => ({
    medias: t.expose('medias', { type: [MediaRef], description: 'The media, in the order given.' }),
  }),
});

builder.mutationField('tagMedia', (t) =>
  t.field({
    type: TagMediaSuccess,
    errors: { types: [NotFoundError] },
    description:
      'Gives tags to many media, and takes others off: all of it or nothing. The creator of each or an admin may.',
    args: { input: t.arg({ type: TagMediaInput, required: true, description: 'The change.' }) },
    resolve: async (_root, { input }, { domain }) => ({
      medias: await tagMedia(domain, {
        mediaIds: parseNodeIds(['Media'], input.mediaIds, 'mediaIds'),
        addTagIds: parseNodeIds(['Tag'], input.addTagIds ?? [], 'addTagIds'),
        removeTagIds: parseNodeIds(['Tag'], input.removeTagIds ?? [], 'removeTagIds'),
      }),
    }),
  }),
);
