import { type File, filesByIds, filesByMediaIds } from '../../../domain/file/file.ts';
import { builder } from '../../builder.ts';
import { expose, exposeNullable } from '../../expose.ts';
import { listLoader, nodeLoader, nodeOptions } from '../../loader.ts';
import { createLookup } from '../../lookup.ts';
import { withNeeds } from '../../needs.ts';

/** A stored file. */
export const FileRef = builder.nodeRef('File', nodeOptions(nodeLoader(filesByIds)));

/** Loads all files of a media item, the original first; one statement for all media of a request. */
export const fileLoader = listLoader(filesByMediaIds);

/** Returns the options of a field whose value is found among the files of a media item, the original first. */
export const foundFiles = createLookup<File[]>({
  loader: fileLoader,
  load: filesByMediaIds,
  absent: [],
});

FileRef.implement({
  description:
    'A stored file of a media item: the original, or a variant of it, such as the thumbnail.',
  fields: (t) => ({
    ...expose(t, 'UUID', { uuid: 'UUID of the file. The media item has a UUID of its own.' }),
    ...expose(t, 'String', {
      resource: 'Name of the group that the file belongs to. All files of a media item share it.',
      key: 'Name of the variant, such as `thumbnail.webp`. Empty for the original.',
      filename: 'Filename as given by the client. It may contain any Unicode characters.',
      mimeType: 'MIME type, detected from the content.',
      md5: 'MD5 of the content, as 32 hex digits.',
    }),
    ...exposeNullable(t, 'String', {
      extension:
        'Extension of the filename, in lower case and without the dot. Null if the filename has none.',
      sha256: 'SHA-256 of the content, as 64 hex digits. Null until the server has computed it.',
    }),
    sizeBytes: t.expose('sizeBytes', { type: 'BigInt', description: 'Size in bytes.' }),
    ...exposeNullable(t, 'Int', {
      width:
        'Width of an image in pixels, as displayed (EXIF orientation applied). Null for other files.',
      height:
        'Height of an image in pixels, as displayed (EXIF orientation applied). Null for other files.',
    }),
    url: t.field({
      type: 'URL',
      description:
        'URL of the content. Append `?download=1` to make a browser save the file instead of displaying it.',
      ...withNeeds('urlPath'),
      resolve: ({ urlPath }, _args, { toUrl }) => toUrl(urlPath),
    }),
    ...expose(t, 'DateTime', {
      createdAt: 'Time at which the file was stored.',
      updatedAt: 'Time of the last change.',
    }),
  }),
});
