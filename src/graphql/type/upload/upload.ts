import {
  DigestMismatchError,
  NotFoundError,
  OffsetMismatchError,
  TooLargeError,
  UnsupportedMediaError,
  UploadCompletedError,
  UploadExpiredError,
} from '../../../domain/error.ts';
import type { Media } from '../../../domain/tree/media.ts';
import { completeUpload } from '../../../domain/upload/upload.ts';
import { uploadFile } from '../../../domain/upload/upload-file.ts';
import { builder } from '../../builder.ts';
import { withFile } from '../../file-upload.ts';
import { MediaRef } from '../tree/media.ts';
import { placementFields, toPlacement } from './placement.ts';

const CompleteUploadInput = builder.inputType('CompleteUploadInput', {
  description: 'Input of `completeUpload`.',
  fields: (t) => ({
    uploadId: t.string({ required: true, description: 'Of the first chunk’s answer.' }),
    md5: t.string({ required: true, description: 'Of the whole file, 32 hex digits.' }),
    ...placementFields(t),
  }),
});

const CompleteUploadSuccess = builder
  .objectRef<{ media: Media }>('CompleteUploadSuccess')
  .implement({
    description: 'The upload is a media now.',
    fields: (t) => ({
      media: t.expose('media', { type: MediaRef, description: 'The new media.' }),
    }),
  });

builder.mutationField('completeUpload', (t) =>
  t.field({
    type: CompleteUploadSuccess,
    errors: {
      types: [
        NotFoundError,
        OffsetMismatchError,
        DigestMismatchError,
        TooLargeError,
        UnsupportedMediaError,
        UploadExpiredError,
        UploadCompletedError,
      ],
    },
    description:
      'Makes a media of an upload whose bytes have all arrived. After an error the session stands as before.',
    args: {
      input: t.arg({ type: CompleteUploadInput, required: true, description: 'What it shall be.' }),
    },
    resolve: async (_root, { input }, { domain }) => ({
      media: await completeUpload(domain, { ...input, ...toPlacement(input) }),
    }),
  }),
);

const UploadFileInput = builder.inputType('UploadFileInput', {
  description: 'Input of `uploadFile`.',
  fields: (t) => ({
    file: t.field({ type: 'Upload', required: true, description: 'The whole file.' }),
    ...placementFields(t),
    md5: t.string({ description: 'Of the file, 32 hex digits; checked before it counts.' }),
  }),
});

const UploadFileSuccess = builder.objectRef<{ media: Media }>('UploadFileSuccess').implement({
  description: 'The file is a media now.',
  fields: (t) => ({ media: t.expose('media', { type: MediaRef, description: 'The new media.' }) }),
});

builder.mutationField('uploadFile', (t) =>
  t.field({
    type: UploadFileSuccess,
    errors: { types: [NotFoundError, DigestMismatchError, TooLargeError, UnsupportedMediaError] },
    description: 'One request, one file: streamed to disk, never held in memory.',
    args: { input: t.arg({ type: UploadFileInput, required: true, description: 'The file.' }) },
    resolve: (_root, { input }, { domain }) =>
      withFile(input.file, 'file', async (file) => ({
        media: await uploadFile(domain, {
          ...toPlacement(input),
          ...file,
          md5: input.md5,
        }),
      })),
  }),
);
