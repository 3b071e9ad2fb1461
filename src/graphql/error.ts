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
  UnsupportedMediaError,
  UploadCompletedError,
  UploadExpiredError,
} from '../domain/error.ts';
import { builder } from './builder.ts';

const ErrorInterface = builder.interfaceRef<DomainError>('Error').implement({
  description: 'Something that a client can act on.',
  fields: (t) => ({
    code: t.exposeString('code', { description: 'Stable, `UPPER_SNAKE`: for machines.' }),
    message: t.exposeString('message', { description: 'A sentence for people; may change.' }),
  }),
});
const interfaces = [ErrorInterface];

const InputIssueRef = builder.objectRef<InputIssue>('InputIssue').implement({
  description: 'One thing wrong with the input.',
  fields: (t) => ({
    path: t.stringList({
      description: 'The field, outermost first: `["tagIds", "2"]`.',
      resolve: ({ path }) => path.map(String),
    }),
    code: t.exposeString('code', { description: 'Stable, `UPPER_SNAKE`.' }),
    message: t.exposeString('message', { description: 'What is expected.' }),
  }),
});

builder.objectType(InvalidInputError, {
  name: 'InvalidInputError',
  description: 'The input itself is wrong, whoever sends it and whenever.',
  interfaces,
  fields: (t) => ({
    issues: t.field({
      type: [InputIssueRef],
      description: 'Everything that is wrong.',
      resolve: ({ issues }) => issues,
    }),
  }),
});

builder.objectType(NotAuthenticatedError, {
  name: 'NotAuthenticatedError',
  description: 'The operation needs a credential.',
  interfaces,
});

builder.objectType(ForbiddenError, {
  name: 'ForbiddenError',
  description: 'The viewer may see the thing, but not do this to it.',
  interfaces,
});

builder.objectType(NotFoundError, {
  name: 'NotFoundError',
  description: 'There is no such thing, or the viewer may not know that there is.',
  interfaces,
  fields: (t) => ({
    noun: t.exposeString('noun', { description: 'What was looked for: `folder`, `upload` …' }),
    notFoundId: t.exposeString('id', { description: 'The id that was looked for.' }),
  }),
});

builder.objectType(ConflictError, {
  name: 'ConflictError',
  description: 'The state of things stands against it: `FOLDER_NOT_EMPTY`, `ILLEGAL_SIGNAL` …',
  interfaces,
});

builder.objectType(FolderCycleError, {
  name: 'FolderCycleError',
  description: 'A folder would come to lie below itself.',
  interfaces,
});

builder.objectType(OffsetMismatchError, {
  name: 'OffsetMismatchError',
  description: 'A chunk does not begin where the upload stands, or bytes are still missing.',
  interfaces,
  fields: (t) => ({
    offset: t.field({
      type: 'BigInt',
      description: 'How many bytes the server holds: where the next chunk must begin.',
      resolve: ({ offsetBytes }) => offsetBytes,
    }),
  }),
});

builder.objectType(UploadExpiredError, {
  name: 'UploadExpiredError',
  description: 'The session’s time is over; start a new one.',
  interfaces,
});

builder.objectType(UploadCompletedError, {
  name: 'UploadCompletedError',
  description: 'The session has been completed already.',
  interfaces,
});

builder.objectType(DigestMismatchError, {
  name: 'DigestMismatchError',
  description: 'The bytes that arrived are not those that were meant.',
  interfaces,
  fields: (t) => ({
    expected: t.exposeString('expected', { description: 'MD5 that was given, 32 hex digits.' }),
    actual: t.exposeString('actual', { description: 'MD5 of the bytes, 32 hex digits.' }),
  }),
});

builder.objectType(TooLargeError, {
  name: 'TooLargeError',
  description: 'The size exceeds the limit of its kind.',
  interfaces,
  fields: (t) => ({
    limit: t.field({
      type: 'BigInt',
      description: 'The limit in bytes.',
      resolve: ({ limitBytes }) => limitBytes,
    }),
  }),
});

builder.objectType(UnsupportedMediaError, {
  name: 'UnsupportedMediaError',
  description: 'The content is not accepted, broken, or not what its name or declared type says.',
  interfaces,
  fields: (t) => ({
    mediaType: t.exposeString('mediaType', { description: 'MIME type found from the content.' }),
  }),
});
