/**
 * The reason of a failed upload, for machines. First the server's codes, then those of this client: UNREACHABLE (no
 * response), UNAVAILABLE (HTTP 5xx, or an internal error of the server), REQUEST_TOO_LARGE (a proxy refuses requests of
 * this size), BAD_RESPONSE (a response that is not GraphQL), UNREADABLE (the file changed or was deleted). A newer
 * server may have more codes.
 */
export type UploadErrorCode =
  | 'INVALID_INPUT'
  | 'NOT_AUTHENTICATED'
  | 'FORBIDDEN'
  | 'NOT_FOUND'
  | 'OFFSET_MISMATCH'
  | 'UPLOAD_EXPIRED'
  | 'UPLOAD_COMPLETED'
  | 'DIGEST_MISMATCH'
  | 'TOO_LARGE'
  | 'UNSUPPORTED_MEDIA'
  | 'TOO_MANY_REQUESTS'
  | 'UNREACHABLE'
  | 'UNAVAILABLE'
  | 'REQUEST_TOO_LARGE'
  | 'BAD_RESPONSE'
  | 'UNREADABLE'
  | (string & {});

/** Details of an error for machines; each belongs to one code. */
export interface UploadErrorDetails {
  /** INVALID_INPUT: every problem of the input. */
  issues?: readonly { path: readonly string[]; code: string; message: string }[] | undefined;
  /** OFFSET_MISMATCH: how many bytes the server holds. */
  offsetBytes?: number | undefined;
  /** TOO_LARGE: the size limit for content of this kind. */
  limitBytes?: number | undefined;
  /** UNSUPPORTED_MEDIA: the MIME type detected from the content. */
  mediaType?: string | undefined;
  /** HTTP status of the response. */
  status?: number | undefined;
  /** Delay that the server asks for before a retry. */
  retryAfterMs?: number | undefined;
}

/** A failed upload. The message is a sentence for people. */
export class UploadError extends Error {
  override readonly name = 'UploadError';
  readonly code: UploadErrorCode;
  readonly details: UploadErrorDetails;
  /**
   * The upload session that still exists on the server, if any: pass it to `upload` with the same blob to resume, or to
   * `abort` to delete its bytes.
   */
  uploadId: string | null = null;

  constructor(
    code: UploadErrorCode,
    message: string,
    details: UploadErrorDetails = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.code = code;
    this.details = details;
  }
}
