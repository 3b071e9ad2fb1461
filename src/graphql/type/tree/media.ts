import { NotFoundError } from '../../../domain/error.ts';
import { type File, originalAmong } from '../../../domain/file/file.ts';
import { THUMBNAIL } from '../../../domain/rendition/thumbnail.ts';
import { QuotaExceededError } from '../../../domain/storage-error.ts';
import { createMedia, type LINK_TYPES } from '../../../domain/tree/link.ts';
import { findMedia, type Media, mediasByIds } from '../../../domain/tree/media.ts';
import { deleteMedia, updateMedia } from '../../../domain/tree/media-change.ts';
import { visibleDetails } from '../../../domain/tree/media-details.ts';
import { countMedias, listMedias } from '../../../domain/tree/media-list.ts';
import { builder, type GraphqlContext } from '../../builder.ts';
import { exposeNullable } from '../../expose.ts';
import { parseNodeId, parseOptionalNodeId } from '../../id.ts';
import { identifierInput, objectQuery } from '../../identifier.ts';
import { nodeLoader, nodeOptions } from '../../loader.ts';
import { deletion, mutation } from '../../mutation.ts';
import { withNeeds } from '../../needs.ts';
import { FileRef, foundFiles } from '../file/file.ts';
import { toFileUrl, URL_NEEDS } from '../file/file-url.ts';
import { filteredList } from '../filter.ts';
import { ImageRef, toImage } from '../rendition/image.ts';
import { foundTags, TagRef } from '../tag/tag.ts';
import { EmbedRef, OEmbedRef } from './embed.ts';
import { FolderRef, parent } from './folder.ts';
import { MediaDetailsRef } from './media-details.ts';
import { facetsField } from './media-facets.ts';
import { MEDIA_LIST_PRICE, mediaListArgs, toMediaFilter } from './media-filter.ts';
import {
  cropFields,
  mediaFields,
  placementFields,
  toPlacement,
  withMetadata,
} from './media-input.ts';
import { MediaTypeEnum } from './media-type.ts';
import { filesInTrash, tagsInTrash } from './trashed.ts';
import { TreeNodeRef } from './tree-node.ts';
import { VisibilityEnum } from './visibility.ts';

/** A media item: a node that is not a folder. */
export const MediaRef = builder.nodeRef('Media', nodeOptions(nodeLoader(mediasByIds)));

/** The connection of every list of media. */
export const MediaConnection = builder.connectionObject({
  type: MediaRef,
  name: 'MediaConnection',
  fields: (t) => ({ facets: t.field(facetsField) }),
});

MediaRef.implement({
  description:
    'A media item: an image, a document, a video, a link or the like, with its files. It lies in a folder, or is unfiled.',
  interfaces: [TreeNodeRef],
  fields: (t) => ({
    type: t.expose('type', { type: MediaTypeEnum, description: 'Type of the media item.' }),
    ...exposeNullable(t, 'String', {
      title: 'Title for display. Null if there is none.',
      description: 'Description for display. Null if there is none.',
      keywords: 'Keywords, included in searches with `MediaFilter.search`. Null if there are none.',
      owner: '`Viewer.id` of the viewer who created the media item. Null for an anonymous viewer.',
    }),
    url: t.field({
      type: 'URL',
      nullable: true,
      description:
        'URL of the linked page, or of the original file: see `File.url`. Null if there is neither, and for a file in the trash.',
      ...foundFiles({
        needs: ['id', 'url'],
        only: URL_NEEDS,
        keysOf: ({ id, url }: Media) => (url === null ? [id] : []),
        valueOf: ([files], { url }, context) => url ?? urlOfOriginal(files, context),
      }),
    }),
    embed: t.field({
      type: EmbedRef,
      nullable: true,
      description: 'The referenced object in another system. Null if there is none.',
      ...withNeeds('embed'),
      resolve: ({ embed }) => embed,
    }),
    oembed: t.field({
      type: OEmbedRef,
      nullable: true,
      description:
        'oEmbed data of the linked page. Null until a background job has fetched it, or if the page has none.',
      ...withNeeds('oembed'),
      resolve: ({ oembed }) => oembed,
    }),
    details: t.field({
      type: MediaDetailsRef,
      nullable: true,
      description:
        'Metadata of the original file. Null until a background job has read it, shortly after the upload, and for a media item without a stored file.',
      ...withNeeds('details'),
      resolve: ({ details }, _args, { domain }) => visibleDetails(domain, details),
    }),
    visibility: t.expose('visibility', {
      type: VisibilityEnum,
      description: 'Who may see the media item and read its files.',
    }),
    isPublic: t.exposeBoolean('isPublic', {
      description:
        'Whether the `visibility` is `PUBLIC`: viewers without a credential may see the media item even if the server requires a credential.',
    }),
    choiceImages: t.expose('choiceImages', {
      type: ['URL'],
      description:
        'URLs of images on the linked page, to choose a preview image from. Empty until a background job has fetched the page.',
    }),
  }),
});

builder.objectFields(MediaRef, (t) => ({
  image: t.field({
    type: ImageRef,
    nullable: true,
    description:
      'The linked image or preview image; otherwise the original, if it is an image. Null if there is neither, and for a stored image in the trash.',
    ...foundFiles({
      needs: ['id', 'type', 'imageUrl', 'imageWidth', 'imageHeight', 'focalPoint', 'crops'],
      only: [...URL_NEEDS, 'width', 'height'],
      keysOf: idOf,
      valueOf: ([files], media: Media) => toImage(media, originalAmong(files)),
    }),
  }),
  file: t.field({
    type: FileRef,
    nullable: true,
    description: 'The original file. Null for a media item without a stored file, such as a link.',
    ...foundFiles({
      needs: ['id'],
      keysOf: idOf,
      valueOf: ([files], media: Media) => originalAmong(filesInTrash(media) ?? files),
    }),
  }),
  files: t.field({
    type: [FileRef],
    description: 'The original file and its variants, the original first.',
    ...foundFiles({
      needs: ['id'],
      keysOf: idOf,
      valueOf: ([files = []], media: Media) => filesInTrash(media) ?? files,
    }),
  }),
  folder: t.field({
    type: FolderRef,
    nullable: true,
    description: 'Folder that contains the media item. The same as `parent`.',
    ...parent,
  }),
  tags: t.field({
    type: [TagRef],
    description: 'Tags of the media item, ordered by name.',
    ...foundTags({
      needs: ['id'],
      keysOf: idOf,
      valueOf: ([tags = []], media: Media) => tagsInTrash(media) ?? tags,
    }),
  }),
  thumbnail: t.field({
    type: FileRef,
    nullable: true,
    description:
      'A WebP thumbnail of the stored image, at most 320 pixels wide and high. Null until a background job has created it, shortly after the upload.',
    ...foundFiles({
      needs: ['id'],
      keysOf: idOf,
      valueOf: ([files]) => files?.find(({ key }) => key === THUMBNAIL),
    }),
  }),
}));

function idOf({ id }: Media): number[] {
  return [id];
}

function urlOfOriginal(files: File[] | undefined, context: GraphqlContext): string | null {
  const original = originalAmong(files);
  return original === null ? null : toFileUrl(original, context);
}

const MediaBy = identifierInput('MediaBy', 'media item', (t) => ({
  databaseId: t.int({ description: 'Numeric id of the media item.' }),
  uuid: t.field({ type: 'UUID', description: 'UUID of the media item.' }),
  resource: t.string({
    description: 'Group name of the files of the media item: `File.resource`.',
  }),
}));

objectQuery('media', {
  type: MediaRef,
  by: MediaBy,
  noun: 'media item',
  description: 'Returns a media item; null if it does not exist or the viewer may not see it.',
  find: (domain, by, only) => findMedia(domain, toMediaBy(by), only),
});

builder.queryField('medias', (t) =>
  t.connection(
    {
      type: MediaRef,
      ...MEDIA_LIST_PRICE,
      description: 'Lists all media, in folders or unfiled, newest first by default.',
      args: mediaListArgs,
      resolve: filteredList({ toFilter: toMediaFilter, list: listMedias, count: countMedias }),
    },
    MediaConnection,
  ),
);

function toMediaBy(by: typeof MediaBy.$inferInput) {
  if (by.uuid) return { uuid: by.uuid };
  if (by.resource) return { resource: by.resource };
  return { id: parseOptionalNodeId('Media', by.id, 'id') ?? by.databaseId ?? 0 };
}

mutation('createMedia', {
  description:
    'Creates a media item without a stored file: a link, or a reference to another object. Requires the role `EDITOR`; with `TRIVIUM_AUTH=open`, anyone may call it.',
  errors: [NotFoundError, QuotaExceededError],
  input: (t) => ({
    type: t.field({
      type: MediaTypeEnum,
      required: true,
      description:
        'Type of the media item. `URL`, `VIMEO` and `IMAGE` require `url`. `EMBED` and `SHARE` require `embedType` and `embedId`. Other types are rejected.',
    }),
    url: t.field({
      type: 'URL',
      description: 'URL (http or https) of the page, video or image.',
    }),
    embedType: t.string({
      description: 'Type of the referenced object in the other system, at most 100 characters.',
    }),
    embedId: t.string({
      description: 'Id of the referenced object in the other system, at most 255 characters.',
    }),
    embedUrl: t.field({
      type: 'URL',
      description: 'URL (http or https) of the referenced object.',
    }),
    embedMetadata: t.field({
      type: 'JSON',
      description:
        'Metadata of the referenced object: a JSON object with at most 64 levels, stored as given. Defaults to an empty object.',
    }),
    ...mediaFields(t),
    ...cropFields(t),
    ...placementFields(t),
  }),
  success: { field: 'media', type: MediaRef, description: 'The new media item.' },
  resolve: (domain, input) =>
    createMedia(domain, {
      ...withMetadata(input),
      ...toPlacement(input),
      // The domain checks both: which types it accepts, and that the metadata is an object.
      type: input.type as (typeof LINK_TYPES)[number],
      embedMetadata: input.embedMetadata as Record<string, unknown> | null | undefined,
    }),
});

mutation('updateMedia', {
  description:
    'Changes a media item. If it becomes private, its files get new URLs, and the old ones no longer work. Requires the role `EDITOR` if the viewer created the media item, and `ADMIN` otherwise.',
  errors: [NotFoundError],
  inputNote:
    'Omitted fields stay unchanged. Null leaves `name`, `sortOrder`, `visibility` and `isPublic` unchanged, and clears any other field.',
  input: (t) => ({
    id: t.id({ required: true, description: 'Global id of the media item.' }),
    ...mediaFields(t),
    ...cropFields(t),
  }),
  success: { field: 'media', type: MediaRef, description: 'The changed media item.' },
  resolve: (domain, { id, name, sortOrder, visibility, isPublic, ...change }) =>
    updateMedia(domain, parseNodeId('Media', id, 'id'), {
      ...withMetadata(change),
      name: name ?? undefined,
      sortOrder: sortOrder ?? undefined,
      visibility: visibility ?? undefined,
      isPublic: isPublic ?? undefined,
    }),
});

deletion('deleteMedia', {
  description:
    'Moves a media item into the trash, with its files: no list and no file URL shows it any more. `restoreNodes` brings it back; after `TRIVIUM_TRASH_DAYS` it is deleted for ever. Requires the role `EDITOR` if the viewer created the media item, and `ADMIN` otherwise.',
  type: 'Media',
  noun: 'media item',
  run: deleteMedia,
});
