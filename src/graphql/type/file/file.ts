import { type File, filesByIds, filesByMediaIds } from '../../../domain/file/file.ts';
import { signPath } from '../../../domain/file/signed-url.ts';
import { builder } from '../../builder.ts';
import { expose, exposeNullable } from '../../expose.ts';
import { listLoader, nodeLoader, nodeOptions } from '../../loader.ts';
import { createLookup } from '../../lookup.ts';
import { withNeeds } from '../../needs.ts';
import { toFileUrl, URL_NEEDS } from './file-url.ts';

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
      args: {
        expiresInSeconds: t.arg.int({
          defaultValue: 3600,
          description: 'Lifetime of the URL in seconds, from 1 to 604,800 (7 days).',
        }),
        download: t.arg.boolean({
          defaultValue: false,
          description: 'Whether a browser saves the file instead of displaying it.',
        }),
      },
      ...withNeeds('urlPath'),
      resolve: ({ urlPath }, { expiresInSeconds, download }, { domain, toUrl }) => {
        const query = download ? { download: '1' } : {};
        return toUrl(
          signPath(domain, urlPath, { expiresInSeconds: expiresInSeconds ?? 3600 }, query),
        );
      },
    }),
    ...expose(t, 'DateTime', {
      createdAt: 'Time at which the file was stored.',
      updatedAt: 'Time of the last change.',
    }),
  }),
});
