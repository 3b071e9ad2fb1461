import { type File, filesByIds, filesByMediaIds } from '../../../domain/file/file.ts';
import { signPath } from '../../../domain/file/signed-url.ts';
import { isAdmin } from '../../../domain/viewer/access.ts';
import { builder } from '../../builder.ts';
import { expose, exposeNullable } from '../../expose.ts';
import { listLoader, nodeLoader, nodeOptions } from '../../loader.ts';
import { createLookup } from '../../lookup.ts';
import { withNeeds } from '../../needs.ts';
import { SIGNED_URL_ARGS, toFileUrl, toSignedUrlOptions, URL_NEEDS } from './file-url.ts';

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
        'URL of the content. Append `?download=1` to make a browser save the file instead of displaying it. Of a private media item, it is a signed URL that is valid for one to two hours, and to which nothing can be appended. While the media item is in the trash, its URLs return 404.',
      ...withNeeds(...URL_NEEDS),
      resolve: (file, _args, context) => toFileUrl(file, context),
    }),
    signedUrl: t.field({
      type: 'URL',
      description:
        'URL with which anyone may read the content for a time, whatever the visibility of the media item. It is valid for this path and these parameters only, for GET and HEAD, until it expires, the file is deleted, or the media item becomes private. Fails with `INVALID_INPUT` for an invalid lifetime.',
      args: SIGNED_URL_ARGS,
      ...withNeeds('urlPath'),
      resolve: ({ urlPath }, args, { domain, toUrl }) => {
        const { input, query } = toSignedUrlOptions(args);
        return toUrl(signPath(domain, urlPath, input, query));
      },
    }),
    ...expose(t, 'DateTime', {
      createdAt: 'Time at which the file was stored.',
      updatedAt: 'Time of the last change.',
    }),
  }),
});

builder.objectField(FileRef, 'damagedAt', (t) =>
  t.field({
    type: 'DateTime',
    nullable: true,
    description:
      'Time at which the stored bytes were found missing or wrong: requests for them then fail with 502. Null if the bytes are good, and always null for viewers other than admins.',
    ...withNeeds('damagedAt'),
    resolve: ({ damagedAt }, _args, { domain }) => (isAdmin(domain) ? damagedAt : null),
  }),
);
