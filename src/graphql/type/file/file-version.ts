import { NotFoundError } from '../../../domain/error.ts';
import { originalAmong } from '../../../domain/file/file.ts';
import {
  countVersionsOfEach,
  signVersion,
  versionsByIds,
  versionsOfEach,
} from '../../../domain/file/version.ts';
import { restoreVersion } from '../../../domain/upload/restore-version.ts';
import { builder } from '../../builder.ts';
import { pageConnection } from '../../connection.ts';
import { expose, exposeNullable } from '../../expose.ts';
import { parseNodeId } from '../../id.ts';
import { nodeLoader, nodeOptions } from '../../loader.ts';
import { mutation } from '../../mutation.ts';
import { MediaRef } from '../tree/media.ts';
import { fileLoader } from './file.ts';
import { SIGNED_URL_ARGS, toSignedUrlOptions } from './file-url.ts';

const FileVersionRef = builder.nodeRef('FileVersion', nodeOptions(nodeLoader(versionsByIds)));

FileVersionRef.implement({
  description:
    'A file that was replaced as the original of a media item. Only viewers who may change the media item see it: its creator with the role `EDITOR`, and admins.',
  fields: (t) => ({
    ...expose(t, 'UUID', { uuid: 'UUID of the version.' }),
    ...expose(t, 'String', {
      filename: 'Filename as given by the client. It may contain any Unicode characters.',
      mimeType: 'MIME type, detected from the content.',
      md5: 'MD5 of the content, as 32 hex digits.',
    }),
    ...exposeNullable(t, 'String', {
      sha256:
        'SHA-256 of the content, as 64 hex digits. Null if the file was replaced before the server had computed it.',
      replacedBy: '`Viewer.id` of the viewer who replaced the file. Null if it is not known.',
    }),
    sizeBytes: t.expose('sizeBytes', {
      type: 'BigInt',
      description: 'Size in bytes. It counts towards the storage quota of the creator of the file.',
    }),
    ...exposeNullable(t, 'Int', {
      width: 'Width of an image in pixels, as displayed. Null for other files.',
      height: 'Height of an image in pixels, as displayed. Null for other files.',
    }),
    ...expose(t, 'DateTime', {
      createdAt: 'Time at which the file became the original of the media item.',
      replacedAt: 'Time at which it was replaced.',
    }),
    signedUrl: t.field({
      type: 'URL',
      description:
        'URL with which anyone may read the content for a time. A version has no other URL. It is valid for GET and HEAD until it expires, the version is restored or deleted, or the media item becomes private. Fails with `INVALID_INPUT` for an invalid lifetime.',
      args: SIGNED_URL_ARGS,
      resolve: async (version, args, context) => {
        const files = await fileLoader(context).load(version.mediaId);
        const original = originalAmong(files);
        // The media item has been deleted since the version was read.
        if (original === null) throw new NotFoundError('version', version.id);
        const { input, query } = toSignedUrlOptions(args);
        return context.toUrl(signVersion(context.domain, version, original, input, query));
      },
    }),
  }),
});

builder.objectField(MediaRef, 'versions', (t) =>
  t.connection(
    {
      type: FileVersionRef,
      description:
        'Files that were replaced as the original of this media item, newest first. The server keeps the latest 5, or as many as its configuration says. Empty for viewers who may not change the media item.',
      ...pageConnection(versionsOfEach, countVersionsOfEach),
    },
    builder.connectionObject({ type: FileVersionRef, name: 'FileVersionConnection' }),
  ),
);

mutation('restoreVersion', {
  description:
    'Makes a version the original file of its media item again; the file that is the original now becomes the newest version. The media item keeps its ids, tags and folder; it takes the type that it had with the version. The thumbnail is deleted and created again. Requires the role `EDITOR` if the viewer created the media item, and `ADMIN` otherwise.',
  errors: [NotFoundError],
  input: (t) => ({
    mediaId: t.id({ required: true, description: 'Global id of the media item.' }),
    versionId: t.id({
      required: true,
      description: 'Global id of a version of the media item.',
    }),
  }),
  success: { field: 'media', type: MediaRef, description: 'The changed media item.' },
  resolve: (domain, { mediaId, versionId }) =>
    restoreVersion(domain, {
      mediaId: parseNodeId('Media', mediaId, 'mediaId'),
      versionId: parseNodeId('FileVersion', versionId, 'versionId'),
    }),
});
