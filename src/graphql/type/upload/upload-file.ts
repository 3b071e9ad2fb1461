import {
  ConflictError,
  DigestMismatchError,
  NotFoundError,
  TooLargeError,
  UnsupportedMediaError,
} from '../../../domain/error.ts';
import { InsufficientStorageError, QuotaExceededError } from '../../../domain/storage-error.ts';
import { replaceFile, uploadFile } from '../../../domain/upload/upload-file.ts';
import { parseNodeId } from '../../id.ts';
import { type InputFields, mutation } from '../../mutation.ts';
import { MediaRef } from '../tree/media.ts';
import { toPlacement, uploadFields, withMetadata } from '../tree/media-input.ts';
import { withFile } from './sent-file.ts';

const errors = [
  NotFoundError,
  DigestMismatchError,
  TooLargeError,
  UnsupportedMediaError,
  QuotaExceededError,
  InsufficientStorageError,
];

const fileFields = (t: InputFields) => ({
  file: t.field({ type: 'Upload', required: true, description: 'The complete file.' }),
  md5: t.string({
    description:
      'Expected MD5 of the file, as 32 hex digits. If it does not match, the file is rejected.',
  }),
});

mutation('uploadFile', {
  description:
    'Creates a media item from a file in this request. The file is streamed to disk and never held in memory as a whole. Requires the role `EDITOR`; with `TRIVIUM_AUTH=open`, anyone may call it.',
  errors: [...errors, ConflictError],
  input: (t) => ({ ...fileFields(t), ...uploadFields(t) }),
  success: { field: 'media', type: MediaRef, description: 'The new media item.' },
  resolve: (domain, { md5, ...input }) =>
    withFile(input.file, 'file', (file) =>
      uploadFile(domain, { ...withMetadata(input), ...toPlacement(input), ...file, md5 }),
    ),
});

mutation('replaceFile', {
  description:
    'Replaces the original file of a media item. The media item keeps its ids, tags and folder; it takes the type of the new file. The old file becomes a version, see `Media.versions`; its URL leads to the new one, also if the filename is another one. The thumbnail is deleted and created again from the new file. Returns an `InvalidInputError` with the issue code `NO_FILE` if the media item has no stored file. Requires the role `EDITOR` if the viewer created the media item, and `ADMIN` otherwise.',
  errors,
  input: (t) => ({
    id: t.id({ required: true, description: 'Global id of the media item.' }),
    ...fileFields(t),
  }),
  success: { field: 'media', type: MediaRef, description: 'The changed media item.' },
  resolve: (domain, { id, md5, ...input }) =>
    withFile(input.file, 'file', (file) =>
      replaceFile(domain, parseNodeId('Media', id, 'id'), { ...file, md5 }),
    ),
});
