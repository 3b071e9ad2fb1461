import type { PageArgs } from '../../../domain/page.ts';
import { THUMBNAIL } from '../../../domain/rendition/thumbnail.ts';
import { findMedia, type Media, mediasByIds } from '../../../domain/tree/media.ts';
import {
  countMedias,
  countMediasOfEach,
  listMedias,
  mediasOfEach,
} from '../../../domain/tree/media-list.ts';
import { builder, type GraphqlContext } from '../../builder.ts';
import { toConnection, toGroupConnection } from '../../connection.ts';
import { parseOptionalNodeId } from '../../id.ts';
import { groupLoader, nodeLoader, nodeOptions } from '../../loader.ts';
import { FileRef, fileLoader, originalOf } from '../file/file.ts';
import { ImageRef, toImage } from '../rendition/image.ts';
import { mediaTagLoader, TagRef } from '../tag/tag.ts';
import { EmbedRef, OEmbedRef } from './embed.ts';
import { FolderRef, parentOf } from './folder.ts';
import { mediaListArgs, toMediaFilter, toMediaOrder } from './media-filter.ts';
import { MediaTypeEnum } from './media-type.ts';
import { TreeNodeRef } from './tree-node.ts';

/** A media: what is in the tree, or unfiled, and no folder. */
export const MediaRef = builder.nodeRef('Media', nodeOptions(nodeLoader(mediasByIds)));

/** The connection of every list of media. */
export const MediaConnection = builder.connectionObject({
  type: MediaRef,
  name: 'MediaConnection',
});

MediaRef.implement({
  description: 'A picture, a document, a link: one thing that is managed, and its files.',
  interfaces: [TreeNodeRef],
  fields: (t) => ({
    type: t.expose('type', { type: MediaTypeEnum, description: 'What it is.' }),
    title: t.exposeString('title', { nullable: true, description: 'For people.' }),
    description: t.exposeString('description', { nullable: true, description: 'For people.' }),
    keywords: t.exposeString('keywords', { nullable: true, description: 'Words to find it by.' }),
    url: t.field({
      type: 'URL',
      nullable: true,
      description: 'Of the linked page, or of the stored file.',
      resolve: urlOf,
    }),
    image: t.field({
      type: ImageRef,
      nullable: true,
      description: 'The picture, or a preview of what is none.',
      resolve: async (media, _args, context) => toImage(media, await originalOf(context, media.id)),
    }),
    file: t.field({
      type: FileRef,
      nullable: true,
      description: 'The original; null for what has no bytes here.',
      resolve: ({ id }, _args, context) => originalOf(context, id),
    }),
    files: t.field({
      type: [FileRef],
      description: 'The original and its variants, the original first.',
      resolve: ({ id }, _args, context) => fileLoader(context).load(id),
    }),
    folder: t.field({
      type: FolderRef,
      nullable: true,
      description: 'The same as `parent`.',
      resolve: parentOf,
    }),
    tags: t.field({
      type: [TagRef],
      description: 'Its tags, by name.',
      resolve: ({ id }, _args, context) => mediaTagLoader(context).load(id),
    }),
    embed: t.field({
      type: EmbedRef,
      nullable: true,
      description: 'What of another system it stands for.',
      resolve: ({ embed }) => embed,
    }),
    oembed: t.field({
      type: OEmbedRef,
      nullable: true,
      description: 'What the provider of the link said of it; null until it has been asked.',
      resolve: ({ oembed }) => oembed,
    }),
    isPublic: t.exposeBoolean('isPublic', {
      description: 'Whether anyone may see it, also where reading needs a credential.',
    }),
    owner: t.exposeString('owner', {
      nullable: true,
      description: 'Who made it: the id of a `Viewer`; null: an anonymous one.',
    }),
  }),
});

builder.objectField(MediaRef, 'choiceImages', (t) =>
  t.expose('choiceImages', {
    type: ['URL'],
    description:
      'Pictures that the page of a link names, to choose from; none until it has been fetched.',
  }),
);

builder.objectField(MediaRef, 'thumbnail', (t) =>
  t.field({
    type: FileRef,
    nullable: true,
    description:
      'A WebP of the picture with sides of at most 320 pixels; null until it has been made, soon after the upload.',
    resolve: async ({ id }, _args, context) =>
      (await fileLoader(context).load(id)).find(({ key }) => key === THUMBNAIL),
  }),
);

const MediaBy = builder.inputType('MediaBy', {
  description: 'Exactly one of these.',
  isOneOf: true,
  fields: (t) => ({
    id: t.id({ description: 'Global id.' }),
    databaseId: t.int({ description: 'Its number.' }),
    uuid: t.field({ type: 'UUID', description: 'Its UUID.' }),
    resource: t.string({ description: 'The name of its group of files.' }),
  }),
});

builder.queryField('media', (t) =>
  t.field({
    type: MediaRef,
    nullable: true,
    description: 'A media; null if it is not there, or may not be seen.',
    args: { by: t.arg({ type: MediaBy, required: true, description: 'Which one.' }) },
    resolve: (_root, { by }, { domain }) => findMedia(domain, toMediaBy(by)),
  }),
);

builder.queryField('medias', (t) =>
  t.connection(
    {
      type: MediaRef,
      description:
        'Media, filed or not; newest first and 50 a page unless asked otherwise, at most 200.',
      args: mediaListArgs,
      resolve: async (_root, { filter, orderBy, ...page }, { domain }) => {
        const narrowed = toMediaFilter(filter);
        return toConnection(await listMedias(domain, page, narrowed, toMediaOrder(orderBy)), () =>
          countMedias(domain, narrowed),
        );
      },
    },
    MediaConnection,
  ),
);

const tagMedias = groupLoader(({ domain }, tagIds, page: PageArgs) =>
  mediasOfEach(domain, 'tag', tagIds, page),
);
const tagCounts = groupLoader(({ domain }, tagIds, _args: null) =>
  countMediasOfEach(domain, 'tag', tagIds),
);

builder.objectField(TagRef, 'medias', (t) =>
  t.connection(
    {
      type: MediaRef,
      description: 'The media that carry it; newest first.',
      resolve: ({ id }, page, context) =>
        toGroupConnection(tagMedias(context, id, page), () => tagCounts(context, id, null)),
    },
    MediaConnection,
  ),
);

async function urlOf(media: Media, _args: object, context: GraphqlContext): Promise<string | null> {
  if (media.url !== null) return media.url;
  const file = await originalOf(context, media.id);
  return file === null ? null : context.toUrl(file.urlPath);
}

function toMediaBy(by: typeof MediaBy.$inferInput) {
  if (by.uuid) return { uuid: by.uuid };
  if (by.resource) return { resource: by.resource };
  return { id: parseOptionalNodeId('Media', by.id, 'id') ?? by.databaseId ?? 0 };
}
