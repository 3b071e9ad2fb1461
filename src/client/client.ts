import type { TypedDocument } from './document.ts';
import { createEndpoint, type UploadClientOptions, withQueryDefaults } from './option.ts';
import { request } from './request.ts';
import { retry } from './retry.ts';
import { createUploadClient, type UploadClient } from './upload/upload-client.ts';

export type { TypedDocument } from './document.ts';
export type { Named, Placement, UploadedMedia, UploadedMediaType } from './operation.ts';
export type { UploadClientOptions as ClientOptions } from './option.ts';
export type { RetryNotice, RetryPolicy } from './retry.ts';
export type { Md5 } from './upload/blob-md5.ts';
export type { UploadOptions, UploadProgress } from './upload/chunk.ts';
export {
  UploadError,
  type UploadErrorCode,
  type UploadErrorDetails,
} from './upload/upload-error.ts';

/**
 * An operation: its text, a document of `@trivium/client/library`, or a `TypedDocumentString` that GraphQL Code Generator
 * has made of a document of yours. The last two bring the types of the data and the variables.
 */
export type Document<Data, Variables> =
  | TypedDocument<Data, Variables>
  | { toString(): string; readonly __apiType?: (variables: Variables) => Data };

/** A client of a server: uploads, and every other operation of its schema. */
export interface Client extends UploadClient {
  /**
   * Runs an operation and returns its data. A query is retried after failures of the network and the server; a mutation
   * is not, since it may have been executed. Throws UploadError for each failure of the request, with the code of the
   * first GraphQL error, and the signal's reason once it is aborted. The errors of a mutation's result are data.
   */
  request<Data = unknown, Variables = Record<string, unknown>>(
    document: Document<Data, Variables>,
    variables?: NoInfer<Variables>,
    signal?: AbortSignal,
  ): Promise<Data>;
}

/**
 * Creates a client; sends nothing. Throws UploadError INVALID_INPUT if the URL cannot be one of a server, and
 * NOT_AUTHENTICATED if the credential cannot be a header.
 */
export function createClient(options: UploadClientOptions): Client {
  const endpoint = createEndpoint(options);
  const policy = withQueryDefaults(options);
  return {
    ...createUploadClient(options),
    request: <Data>(document: object | string, variables: unknown = {}, signal?: AbortSignal) => {
      const query = String(document);
      const send = () => request<Data>(endpoint, { query, variables }, signal);
      return isMutation(query) ? send() : retry({ ...policy, signal }, send);
    },
  };
}

function isMutation(query: string): boolean {
  return /(^|[}\s,])mutation\b/.test(query.replace(/#.*$/gm, ''));
}
