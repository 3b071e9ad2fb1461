import { createOperations, type Named, type UploadedMedia } from '../operation.ts';
import {
  createEndpoint,
  type UploadClientOptions,
  withDefaults,
  withQueryDefaults,
} from '../option.ts';
import { retry } from '../retry.ts';
import type { UploadOptions } from './chunk.ts';
import { uploadInChunks } from './chunked-upload.ts';

/** Uploads files to a server, in Node and in browsers. */
export interface UploadClient {
  /**
   * Uploads a blob and creates a media item from it. In Node, `await fs.openAsBlob(path)` is a blob that reads from
   * disk; only one chunk is in memory at a time. Throws UploadError, and the signal's reason once it is aborted.
   */
  upload(blob: Blob, options?: UploadOptions): Promise<UploadedMedia>;
  /** Ends a session and deletes its bytes. Throws UploadError. */
  abort(uploadId: string): Promise<void>;
  /** Returns the folder at a path of names, `/Design/Logos`; null if there is none that the credential may see. */
  findFolder(path: string): Promise<Named | null>;
  /** Returns the tag with exactly this name; creates it if it does not exist. */
  ensureTag(name: string): Promise<Named>;
  /** Throws UploadError, without a retry, if no server answers or the credential is invalid. */
  check(): Promise<void>;
}

/**
 * Creates a client; sends nothing. Throws UploadError INVALID_INPUT if the URL cannot be one of a server, and
 * NOT_AUTHENTICATED if the credential cannot be a header.
 */
export function createUploadClient(options: UploadClientOptions): UploadClient {
  const tools = withDefaults(options);
  const policy = withQueryDefaults(options);
  const server = createOperations(createEndpoint(options));
  return {
    upload: (blob, options = {}) => uploadInChunks({ ...tools, server }, blob, options),
    abort: (uploadId) => server.abort(uploadId),
    findFolder: (path) => retry(policy, () => server.findFolder(path)),
    // Each attempt searches first: names are not unique, and a lost response must not lead to a second tag.
    ensureTag: (name) =>
      retry(policy, async () => (await server.findTag(name)) ?? server.createTag(name)),
    check: () => server.check(),
  };
}
