import {
  AbortUploadDocument,
  CheckDocument,
  CompleteUploadDocument,
  CreateTagDocument,
  type FailureFragment,
  FindFolderDocument,
  FindSessionDocument,
  FindTagDocument,
  type TypedDocument,
  UploadChunkDocument,
} from './document.ts';
import type { CompleteUploadInput, UploadChunkInput } from './input.ts';
import type { FilePart } from './multipart.ts';
import { type Endpoint, request } from './request.ts';
import { UploadError } from './upload/upload-error.ts';

/** Types of media items that hold a file. */
export type UploadedMediaType =
  | 'IMAGE'
  | 'EDITOR_IMAGE'
  | 'DOCUMENT'
  | 'FILE'
  | 'VIDEO'
  | 'AUDIO'
  | 'VECTOR';

/** The media item that an upload created. */
export interface UploadedMedia {
  /** Global id, opaque. */
  id: string;
  databaseId: number;
  uuid: string;
  type: UploadedMediaType;
  name: string;
  title: string | null;
  /** Absolute URL of its bytes. */
  url: string;
  file: { filename: string; mimeType: string; sizeBytes: number; md5: string };
}

/** Fields of the new media item; the server decides those that are absent. */
export interface Placement {
  /** Default: by the content. */
  type?: UploadedMediaType | undefined;
  /** Global id; default: unfiled. */
  folderId?: string | undefined;
  /** At most 255 characters; default: the filename. */
  title?: string | undefined;
  /** At most 10,000 characters. */
  description?: string | undefined;
  /** Global ids. */
  tagIds?: readonly string[] | undefined;
}

/** A folder or a tag. */
export interface Named {
  id: string;
  name: string;
}

/** Input of `uploadChunk`, without the bytes. */
export type ChunkInput = Omit<UploadChunkInput, 'chunk'>;

/** The GraphQL operations of an upload, one request each. */
export type Operations = ReturnType<typeof createOperations>;

/** Creates the operations. Each throws UploadError, also for the errors of its result. */
export function createOperations(endpoint: Endpoint) {
  const ask = <Data, Variables>(
    query: TypedDocument<Data, Variables>,
    variables: NoInfer<Variables>,
    signal?: AbortSignal,
    chunk?: FilePart,
  ) => request<Data>(endpoint, { query, variables, ...(chunk && { chunk }) }, signal);
  return {
    sendChunk: async (input: ChunkInput, chunk: FilePart, signal?: AbortSignal) => {
      const variables = { input: { ...input, chunk: null } };
      return succeed(await ask(UploadChunkDocument, variables, signal, chunk)).session;
    },
    complete: async (input: CompleteUploadInput, signal?: AbortSignal) =>
      // A media item of an upload has a file, and so a type and a URL.
      succeed(await ask(CompleteUploadDocument, { input }, signal)).media as UploadedMedia,
    abort: async (uploadId: string, signal?: AbortSignal) =>
      void succeed(await ask(AbortUploadDocument, { input: { uploadId } }, signal)),
    findSession: async (uploadId: string, signal?: AbortSignal) =>
      (await ask(FindSessionDocument, { uploadId }, signal)).session,
    findFolder: async (path: string) => (await ask(FindFolderDocument, { path })).folder,
    findTag: async (name: string) => (await ask(FindTagDocument, { name })).tags.nodes[0] ?? null,
    createTag: async (name: string) =>
      succeed(await ask(CreateTagDocument, { input: { name } })).tag,
    check: async () => void (await ask(CheckDocument, {})),
  };
}

function succeed<Result extends object>({ result }: { result: Result }) {
  if (isFailure(result)) throw toUploadError(result);
  return result as Exclude<Result, FailureFragment>;
}

// No success type has a field of this name: the documents select it on errors only.
function isFailure(result: object): result is FailureFragment {
  return 'code' in result;
}

function toUploadError(failure: FailureFragment): UploadError {
  return new UploadError(failure.code, failure.message, {
    issues: 'issues' in failure ? failure.issues : undefined,
    mediaType: 'mediaType' in failure ? failure.mediaType : undefined,
    offsetBytes: 'offset' in failure ? failure.offset : undefined,
    limitBytes: 'limit' in failure ? failure.limit : undefined,
  });
}
