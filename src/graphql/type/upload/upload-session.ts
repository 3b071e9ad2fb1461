import {
  ConflictError,
  DigestMismatchError,
  NotFoundError,
  OffsetMismatchError,
  TooLargeError,
  TooManyRequestsError,
  UnsupportedMediaError,
  UploadCompletedError,
  UploadExpiredError,
} from '../../../domain/error.ts';
import { InsufficientStorageError, QuotaExceededError } from '../../../domain/storage-error.ts';
import {
  countUploadSessions,
  findUploadSession,
  listUploadSessions,
  type UploadSession,
} from '../../../domain/upload/session.ts';
import { abortUpload, appendChunk, completeUpload } from '../../../domain/upload/upload.ts';
import { builder, type GraphqlContext } from '../../builder.ts';
import { toConnection } from '../../connection.ts';
import { expose } from '../../expose.ts';
import { encodeGlobalId } from '../../id.ts';
import { mutation } from '../../mutation.ts';
import { MediaRef } from '../tree/media.ts';
import { toPlacement, uploadFields, withMetadata } from '../tree/media-input.ts';
import { withFile } from './sent-file.ts';

const UPLOAD_ID = 'Id of the upload session: `UploadSession.uploadId`.';

/** An upload session. */
export const UploadSessionRef = builder.objectRef<UploadSession>('UploadSession');

builder.node(UploadSessionRef, {
  description: 'A chunked upload that has not been completed.',
  id: { resolve: ({ uploadId }) => uploadId },
  loadOne: (uploadId, { domain }: GraphqlContext) => findUploadSession(domain, uploadId),
  fields: (t) => ({
    ...expose(t, 'String', {
      uploadId:
        'Id of the upload session, 32 hex digits. It is a secret: anyone who knows it can continue an anonymous upload.',
      filename:
        'Filename, without characters that are not allowed in one. Empty if none was given.',
    }),
    offset: t.expose('offsetBytes', {
      type: 'BigInt',
      description:
        'Number of bytes that the server has stored. The next chunk must start at this offset.',
    }),
    sizeBytes: t.expose('totalBytes', {
      type: 'BigInt',
      nullable: true,
      description: 'Size of the complete file in bytes. At present, it is never null.',
    }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      description:
        'Time at which the session expires and its bytes are deleted. Set at the first chunk; later chunks do not extend it.',
    }),
  }),
});

builder.queryField('uploadSession', (t) =>
  t.field({
    type: UploadSessionRef,
    nullable: true,
    description:
      'Returns an upload session that the viewer created; null if it does not exist, has expired or has been completed.',
    args: {
      uploadId: t.arg.string({ required: true, description: UPLOAD_ID }),
    },
    resolve: (_root, { uploadId }, { domain }) => findUploadSession(domain, uploadId),
  }),
);

const UploadSessionConnection = builder.connectionObject({
  type: UploadSessionRef,
  name: 'UploadSessionConnection',
});

builder.queryField('uploadSessions', (t) =>
  t.connection(
    {
      type: UploadSessionRef,
      description:
        'Lists the open upload sessions that the viewer created, newest first. Empty for an anonymous viewer: the id of an anonymous session is a secret.',
      resolve: async (_root, page, { domain }) =>
        toConnection(await listUploadSessions(domain, page), () => countUploadSessions(domain)),
    },
    UploadSessionConnection,
  ),
);

mutation('uploadChunk', {
  description:
    'Uploads one chunk of a file. The first chunk creates an upload session and reserves storage for the whole file. A chunk is stored durably before the server reports success. Requires the role `EDITOR`; with `TRIVIUM_AUTH=open`, anyone may call it.',
  errors: [
    NotFoundError,
    OffsetMismatchError,
    DigestMismatchError,
    TooLargeError,
    UploadExpiredError,
    UploadCompletedError,
    TooManyRequestsError,
    QuotaExceededError,
    InsufficientStorageError,
  ],
  input: (t) => ({
    uploadId: t.string({ description: `${UPLOAD_ID} Omit it for the first chunk.` }),
    chunk: t.field({
      type: 'Upload',
      required: true,
      description: 'Bytes of the chunk: at least one, and at most the rest of the file.',
    }),
    offset: t.field({
      type: 'BigInt',
      required: true,
      description:
        'Position of the chunk in the file, in bytes. Must equal `UploadSession.offset`; 0 for the first chunk.',
    }),
    totalBytes: t.field({
      type: 'BigInt',
      required: true,
      description: 'Size of the complete file in bytes. Must be the same for every chunk.',
    }),
    filename: t.string({
      description:
        'Filename. Read from the first chunk only. Defaults to the filename in the multipart request.',
    }),
    md5: t.string({
      description:
        'Expected MD5 of this chunk, as 32 hex digits. If it does not match, the chunk is rejected.',
    }),
  }),
  success: {
    field: 'session',
    type: UploadSessionRef,
    description: 'The upload session, with its new offset.',
  },
  resolve: (domain, { chunk, offset, filename, ...input }) =>
    withFile(chunk, 'chunk', (file) =>
      appendChunk(domain, {
        ...input,
        offsetBytes: offset,
        filename: filename ?? file.filename,
        declaredType: file.declaredType,
        chunk: { bytes: file.bytes },
      }),
    ),
});

mutation('completeUpload', {
  description:
    'Creates a media item from an upload session that has received all its bytes. If this fails, the upload session does not change. Requires the role `EDITOR`; with `TRIVIUM_AUTH=open`, anyone may call it.',
  errors: [
    NotFoundError,
    OffsetMismatchError,
    DigestMismatchError,
    TooLargeError,
    UnsupportedMediaError,
    UploadExpiredError,
    UploadCompletedError,
    ConflictError,
  ],
  input: (t) => ({
    uploadId: t.string({ required: true, description: UPLOAD_ID }),
    md5: t.string({
      required: true,
      description: 'Expected MD5 of the complete file, as 32 hex digits.',
    }),
    ...uploadFields(t),
  }),
  success: { field: 'media', type: MediaRef, description: 'The new media item.' },
  resolve: (domain, input) =>
    completeUpload(domain, { ...withMetadata(input), ...toPlacement(input) }),
});

mutation('abortUpload', {
  description: 'Ends an upload session that the viewer created, and deletes its bytes.',
  errors: [NotFoundError, UploadCompletedError],
  input: (t) => ({
    uploadId: t.string({ required: true, description: UPLOAD_ID }),
  }),
  success: {
    field: 'deletedId',
    type: 'ID',
    description: 'Global id of the deleted upload session.',
  },
  resolve: async (domain, { uploadId }) => {
    await abortUpload(domain, { uploadId });
    return encodeGlobalId('UploadSession', uploadId);
  },
});
