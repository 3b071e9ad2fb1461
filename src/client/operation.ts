import {
  AbortUploadDocument,
  CheckDocument,
  CompleteUploadDocument,
  type CompleteUploadInput,
  CreateTagDocument,
  type FailureFragment,
  FindFolderDocument,
  FindSessionDocument,
  FindTagDocument,
  type TypedDocument,
  UploadChunkDocument,
  type UploadChunkInput,
} from './document.ts';
import type { FilePart } from './multipart.ts';
import { type Endpoint, request } from './request.ts';
import { UploadError } from './upload-error.ts';

/** Types of media that hold a file. */
export type UploadedMediaType =
  | 'IMAGE'
  | 'EDITOR_IMAGE'
  | 'DOCUMENT'
  | 'FILE'
  | 'VIDEO'
  | 'AUDIO'
  | 'VECTOR';

/** The media that an upload has become. */
export interface UploadedMedia {
  /** Global id, opaque. */
  id: string;
  databaseId: number;
  uuid: string;
  type: UploadedMediaType;
  name: string;
  title: string | null;
  /** Where its bytes are, absolute. */
  url: string;
  file: { filename: string; mimeType: string; sizeBytes: number; md5: string };
}

/** What the media shall be; everything absent is left to the server. */
export interface Placement {
  /** Default: the content decides. */
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

/** A folder or a tag, by its global id. */
export interface Named {
  id: string;
  name: string;
}

/** Input of `uploadChunk`; the bytes go beside it. */
export type ChunkInput = Omit<UploadChunkInput, 'chunk'>;

/** The operations of the server's schema that an upload needs, one request each. */
export type Operations = ReturnType<typeof createOperations>;

/** Each throws UploadError for the errors of its result too. */
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
      // What an upload has become has a file, and a type and a URL to go with it.
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

// No success has a field of this name: the documents ask it of errors only.
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
