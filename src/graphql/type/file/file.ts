import {
  type File,
  filesByIds,
  filesByMediaIds,
  originalAmong,
} from '../../../domain/file/file.ts';
import { builder, type GraphqlContext } from '../../builder.ts';
import { listLoader, nodeLoader, nodeOptions } from '../../loader.ts';

/** A stored file. */
export const FileRef = builder.nodeRef('File', nodeOptions(nodeLoader(filesByIds)));

/** Loads all files of a media item, the original first; one statement for all media of a request. */
export const fileLoader = listLoader(filesByMediaIds);

/** Returns the original of a media item; null if it has no file. */
export async function originalOf(context: GraphqlContext, mediaId: number): Promise<File | null> {
  return originalAmong(await fileLoader(context).load(mediaId));
}

FileRef.implement({
  description:
    'A stored file of a media item: the original, or a variant of it, such as the thumbnail.',
  fields: (t) => ({
    uuid: t.expose('uuid', {
      type: 'UUID',
      description: 'UUID of the file. The media item has a UUID of its own.',
    }),
    resource: t.exposeString('resource', {
      description:
        'Name of the group that the file belongs to. All files of a media item share it.',
    }),
    key: t.exposeString('key', {
      description: 'Name of the variant, such as `thumbnail.webp`. Empty for the original.',
    }),
    filename: t.exposeString('filename', {
      description: 'Filename as given by the client. It may contain any Unicode characters.',
    }),
    extension: t.exposeString('extension', {
      nullable: true,
      description:
        'Extension of the filename, in lower case and without the dot. Null if the filename has none.',
    }),
    mimeType: t.exposeString('mimeType', {
      description: 'MIME type, detected from the content.',
    }),
    sizeBytes: t.expose('sizeBytes', { type: 'BigInt', description: 'Size in bytes.' }),
    md5: t.exposeString('md5', { description: 'MD5 of the content, as 32 hex digits.' }),
    sha256: t.exposeString('sha256', {
      nullable: true,
      description:
        'SHA-256 of the content, as 64 hex digits. Null until the server has computed it.',
    }),
    width: t.exposeInt('width', {
      nullable: true,
      description:
        'Width of an image in pixels, as displayed (EXIF orientation applied). Null for other files.',
    }),
    height: t.exposeInt('height', {
      nullable: true,
      description:
        'Height of an image in pixels, as displayed (EXIF orientation applied). Null for other files.',
    }),
    url: t.field({
      type: 'URL',
      description:
        'URL of the content. Append `?download=1` to make a browser save the file instead of displaying it.',
      resolve: ({ urlPath }, _args, { toUrl }) => toUrl(urlPath),
    }),
    createdAt: t.expose('createdAt', {
      type: 'DateTime',
      description: 'Time at which the file was stored.',
    }),
    updatedAt: t.expose('updatedAt', {
      type: 'DateTime',
      description: 'Time of the last change.',
    }),
  }),
});
