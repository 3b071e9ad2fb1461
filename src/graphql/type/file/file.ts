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

/** All files of a media, the original first; the media of one request in one statement. */
export const fileLoader = listLoader(filesByMediaIds);

/** The original of a media; null if it has no bytes. */
export async function originalOf(context: GraphqlContext, mediaId: number): Promise<File | null> {
  return originalAmong(await fileLoader(context).load(mediaId));
}

FileRef.implement({
  description: 'A stored file: the original of a media, or a variant made from it.',
  fields: (t) => ({
    uuid: t.expose('uuid', { type: 'UUID', description: 'Of this file, not of its media.' }),
    resource: t.exposeString('resource', {
      description: 'Name of the group of files that a media is.',
    }),
    key: t.exposeString('key', { description: 'Empty for the original, else the variant’s name.' }),
    filename: t.exposeString('filename', { description: 'As its sender named it; any Unicode.' }),
    extension: t.exposeString('extension', {
      nullable: true,
      description: 'Lower case, without dot.',
    }),
    mimeType: t.exposeString('mimeType', { description: 'Found from the content.' }),
    sizeBytes: t.expose('sizeBytes', { type: 'BigInt', description: 'Size in bytes.' }),
    md5: t.exposeString('md5', { description: '32 hex digits.' }),
    sha256: t.exposeString('sha256', {
      nullable: true,
      description: '64 hex digits; null until it has been computed.',
    }),
    width: t.exposeInt('width', {
      nullable: true,
      description: 'Of an image in pixels, its orientation applied.',
    }),
    height: t.exposeInt('height', {
      nullable: true,
      description: 'Of an image in pixels, its orientation applied.',
    }),
    url: t.field({
      type: 'URL',
      description: 'Where the bytes are; `?download=1` makes a browser save them.',
      resolve: ({ urlPath }, _args, { toUrl }) => toUrl(urlPath),
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was stored.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When it last changed.' }),
  }),
});
