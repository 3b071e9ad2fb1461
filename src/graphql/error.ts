import {
  ConflictError,
  DigestMismatchError,
  type DomainError,
  FolderCycleError,
  ForbiddenError,
  type InputIssue,
  InvalidInputError,
  NotAuthenticatedError,
  NotFoundError,
  OffsetMismatchError,
  TooLargeError,
  TooManyRequestsError,
  UnsupportedMediaError,
  UploadCompletedError,
  UploadExpiredError,
} from '../domain/error.ts';
import { InsufficientStorageError, QuotaExceededError } from '../domain/storage-error.ts';
import { builder } from './builder.ts';

const ErrorInterface = builder.interfaceRef<DomainError>('Error').implement({
  description: 'An error that the client can handle.',
  fields: (t) => ({
    code: t.exposeString('code', {
      description: 'Machine-readable error code in `UPPER_SNAKE_CASE`. It never changes.',
    }),
    message: t.exposeString('message', {
      description: 'Error message for people. Its wording may change.',
    }),
    failedId: t.id({
      nullable: true,
      description:
        'Global id, as sent, of the first object that made a mutation of several objects fail. Null for a mutation of one object, and if the error does not concern one of the objects.',
      resolve: ({ failed }) => failed?.sentId ?? null,
    }),
  }),
});
const interfaces = [ErrorInterface];

const InputIssueRef = builder.objectRef<InputIssue>('InputIssue').implement({
  description: 'One problem with the input.',
  fields: (t) => ({
    path: t.stringList({
      description:
        'Path of the invalid value, from the argument of the field: `["input", "tagIds", "2"]` in a mutation, `["filter", "folderId"]` or `["first"]` in a list.',
      resolve: ({ path }) => path.map(String),
    }),
    code: t.exposeString('code', {
      description: 'Machine-readable code of the problem in `UPPER_SNAKE_CASE`. It never changes.',
    }),
    message: t.exposeString('message', {
      description: 'Message for people that says what is expected. Its wording may change.',
    }),
  }),
});

builder.objectType(InvalidInputError, {
  name: 'InvalidInputError',
  description: 'The input is invalid. `issues` lists every problem.',
  interfaces,
  fields: (t) => ({
    issues: t.field({
      type: [InputIssueRef],
      description: 'All problems with the input.',
      resolve: ({ issues }) => issues,
    }),
  }),
});

builder.objectType(NotAuthenticatedError, {
  name: 'NotAuthenticatedError',
  description:
    'The operation requires a credential, and the request has none; or the given name or password is wrong.',
  interfaces,
});

builder.objectType(ForbiddenError, {
  name: 'ForbiddenError',
  description:
    'The viewer lacks permission for this operation. For an object that the viewer may not see, the error is `NotFoundError` instead.',
  interfaces,
});

builder.objectType(NotFoundError, {
  name: 'NotFoundError',
  description: 'The object does not exist, or the viewer may not see it.',
  interfaces,
  fields: (t) => ({
    noun: t.exposeString('noun', {
      description: 'Kind of the object, such as `folder` or `upload`.',
    }),
    notFoundId: t.exposeString('id', {
      description: 'Id of the object that was not found, as it was sent.',
    }),
  }),
});

builder.objectType(ConflictError, {
  name: 'ConflictError',
  description:
    'The operation conflicts with the current state of the object. `code` is `FOLDER_NOT_EMPTY`, `ILLEGAL_SIGNAL`, `ALREADY_EXISTS`, or `BEING_DELETED` for a node that is still on its way into the trash.',
  interfaces,
});

builder.objectType(FolderCycleError, {
  name: 'FolderCycleError',
  description: 'A folder cannot be moved into itself or into a folder below it.',
  interfaces,
});

builder.objectType(OffsetMismatchError, {
  name: 'OffsetMismatchError',
  description:
    'The chunk does not start at the current offset of the upload session, or the upload cannot be completed because bytes are missing.',
  interfaces,
  fields: (t) => ({
    offset: t.field({
      type: 'BigInt',
      description:
        'Number of bytes that the server has stored. The next chunk must start at this offset.',
      resolve: ({ offsetBytes }) => offsetBytes,
    }),
  }),
});

builder.objectType(UploadExpiredError, {
  name: 'UploadExpiredError',
  description: 'The upload session has expired. Start a new one.',
  interfaces,
});

builder.objectType(UploadCompletedError, {
  name: 'UploadCompletedError',
  description: 'The upload session has already been completed.',
  interfaces,
});

builder.objectType(DigestMismatchError, {
  name: 'DigestMismatchError',
  description: 'The received bytes do not have the expected MD5.',
  interfaces,
  fields: (t) => ({
    expected: t.exposeString('expected', { description: 'Expected MD5, as given: 32 hex digits.' }),
    actual: t.exposeString('actual', { description: 'MD5 of the received bytes: 32 hex digits.' }),
  }),
});

builder.objectType(TooLargeError, {
  name: 'TooLargeError',
  description: 'The file exceeds the size limit for its type.',
  interfaces,
  fields: (t) => ({
    limit: t.field({
      type: 'BigInt',
      description: 'Size limit in bytes.',
      resolve: ({ limitBytes }) => limitBytes,
    }),
  }),
});

builder.objectType(UnsupportedMediaError, {
  name: 'UnsupportedMediaError',
  description:
    'The content of the file is not of an accepted type, is damaged, or does not match its filename or declared type.',
  interfaces,
  fields: (t) => ({
    mediaType: t.exposeString('mediaType', {
      description: 'MIME type, detected from the content.',
    }),
  }),
});

const exceededName =
  'Name of the limit: `upload-sessions`, `promised-bytes`, `stored-bytes` or `items`; `requests` for a login.';

builder.objectType(TooManyRequestsError, {
  name: 'TooManyRequestsError',
  description:
    'The viewer or its address has too many open upload sessions, or too many bytes reserved by them: complete or abort a session, or try again later. For a login: the address has sent too many wrong passwords; wait before the next attempt.',
  interfaces,
  fields: (t) => ({
    // Not null, because a query may select fields of the same name from several error types.
    limitName: t.string({
      description: exceededName,
      resolve: ({ exceeded }) => exceeded?.name ?? 'requests',
    }),
    limit: t.field({
      type: 'BigInt',
      description:
        'The limit that was reached: a number of upload sessions, or of bytes. 0 for a login.',
      resolve: ({ exceeded }) => exceeded?.limit ?? 0,
    }),
    retryAfterSeconds: t.int({
      description: 'Seconds to wait before the next attempt.',
      resolve: ({ retryAfterMs }) => Math.ceil(retryAfterMs / 1000),
    }),
  }),
});

builder.objectType(QuotaExceededError, {
  name: 'QuotaExceededError',
  description:
    'The operation would exceed the storage quota of the viewer or its address. Delete something for ever, or empty the trash: what is in the trash counts. `storageUsage` returns the current usage.',
  interfaces,
  fields: (t) => ({
    limitName: t.string({ description: exceededName, resolve: ({ exceeded }) => exceeded.name }),
    limit: t.field({
      type: 'BigInt',
      description: 'The quota: a number of bytes, or of media and folders.',
      resolve: ({ exceeded }) => exceeded.limit,
    }),
  }),
});

builder.objectType(InsufficientStorageError, {
  name: 'InsufficientStorageError',
  description: 'The disk of the server has too little free space for the file. Try again later.',
  interfaces,
  fields: (t) => ({
    retryAfterSeconds: t.int({
      description: 'Seconds to wait before the next attempt.',
      resolve: ({ retryAfterMs }) => Math.ceil(retryAfterMs / 1000),
    }),
  }),
});
