import {
  DigestMismatchError,
  NotFoundError,
  OffsetMismatchError,
  TooLargeError,
  UploadCompletedError,
  UploadExpiredError,
} from '../../../domain/error.ts';
import { findUploadSession, type UploadSession } from '../../../domain/upload/session.ts';
import { abortUpload, appendChunk } from '../../../domain/upload/upload.ts';
import { builder, type GraphqlContext } from '../../builder.ts';
import { withFile } from '../../file-upload.ts';

/** A session, for whatever answers where an upload stands. */
export const UploadSessionRef = builder.objectRef<UploadSession>('UploadSession');

builder.node(UploadSessionRef, {
  description: 'A chunked upload that is not yet complete.',
  id: { resolve: ({ uploadId }) => uploadId },
  loadOne: (uploadId, { domain }: GraphqlContext) => findUploadSession(domain, uploadId),
  fields: (t) => ({
    uploadId: t.exposeString('uploadId', {
      description: '32 hex digits. Whoever knows it can go on with an anonymous upload.',
    }),
    filename: t.exposeString('filename', { description: 'Cleaned; empty if none was given.' }),
    offset: t.expose('offsetBytes', {
      type: 'BigInt',
      description: 'How many bytes are safe on the server: where the next chunk begins.',
    }),
    sizeBytes: t.expose('totalBytes', {
      type: 'BigInt',
      nullable: true,
      description: 'Size of the whole file in bytes.',
    }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      description: 'When what was sent is thrown away; fixed at the first chunk.',
    }),
  }),
});

builder.queryField('uploadSession', (t) =>
  t.field({
    type: UploadSessionRef,
    nullable: true,
    description: 'An upload of the viewer’s own that goes on; null for any other.',
    args: {
      uploadId: t.arg.string({ required: true, description: 'Of the first chunk’s answer.' }),
    },
    resolve: (_root, { uploadId }, { domain }) => findUploadSession(domain, uploadId),
  }),
);

const UploadChunkInput = builder.inputType('UploadChunkInput', {
  description: 'Input of `uploadChunk`.',
  fields: (t) => ({
    uploadId: t.string({ description: 'Of the first chunk’s answer; without: a new session.' }),
    chunk: t.field({ type: 'Upload', required: true, description: 'The bytes, of any size.' }),
    offset: t.field({
      type: 'BigInt',
      required: true,
      description: 'Where the chunk begins in the file, in bytes.',
    }),
    totalBytes: t.field({
      type: 'BigInt',
      required: true,
      description: 'Size of the whole file in bytes; the same in each chunk.',
    }),
    filename: t.string({ description: 'Read at the first chunk; default: that of the part.' }),
    md5: t.string({ description: 'Of this chunk, 32 hex digits; checked before it counts.' }),
  }),
});

const UploadChunkSuccess = builder
  .objectRef<{ session: UploadSession }>('UploadChunkSuccess')
  .implement({
    description: 'The chunk is safe on the server.',
    fields: (t) => ({
      session: t.expose('session', {
        type: UploadSessionRef,
        description: 'Where the upload stands.',
      }),
    }),
  });

builder.mutationField('uploadChunk', (t) =>
  t.field({
    type: UploadChunkSuccess,
    errors: {
      types: [
        NotFoundError,
        OffsetMismatchError,
        DigestMismatchError,
        TooLargeError,
        UploadExpiredError,
        UploadCompletedError,
      ],
    },
    description:
      'Sends one chunk. Without `uploadId` it starts a session; `offset` must equal what the server holds. What is answered with success survives a crash of the server.',
    args: { input: t.arg({ type: UploadChunkInput, required: true, description: 'The chunk.' }) },
    resolve: (_root, { input }, { domain }) =>
      withFile(input.chunk, 'chunk', async (file) => ({
        session: await appendChunk(domain, {
          uploadId: input.uploadId,
          offsetBytes: input.offset,
          totalBytes: input.totalBytes,
          filename: input.filename ?? file.filename,
          declaredType: file.declaredType,
          md5: input.md5,
          chunk: { bytes: file.bytes },
        }),
      })),
  }),
);

const AbortUploadInput = builder.inputType('AbortUploadInput', {
  description: 'Input of `abortUpload`.',
  fields: (t) => ({
    uploadId: t.string({ required: true, description: 'Of the first chunk’s answer.' }),
  }),
});

const AbortUploadSuccess = builder.objectRef<{ uploadId: string }>('AbortUploadSuccess').implement({
  description: 'The upload is gone, and so are its bytes.',
  fields: (t) => ({
    deletedId: t.globalID({
      description: 'Global id that the session had.',
      resolve: ({ uploadId }) => ({ type: 'UploadSession', id: uploadId }),
    }),
  }),
});

builder.mutationField('abortUpload', (t) =>
  t.field({
    type: AbortUploadSuccess,
    errors: { types: [NotFoundError, UploadCompletedError] },
    description: 'Ends an upload; what was sent is thrown away.',
    args: { input: t.arg({ type: AbortUploadInput, required: true, description: 'Which one.' }) },
    resolve: async (_root, { input }, { domain }) => {
      await abortUpload(domain, input);
      return input;
    },
  }),
);
