/**
 * What went wrong, for machines. First those of the server, then those that this client finds:
 * UNREACHABLE (no answer), UNAVAILABLE (HTTP 5xx, or the server's own failure), REQUEST_TOO_LARGE (a
 * proxy takes no request of this size), BAD_RESPONSE (an answer that is not GraphQL), UNREADABLE (the
 * file changed or went away). A newer server may have more.
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

/** What a machine can use of an error; each only where the code has it. */
export interface UploadErrorDetails {
  /** INVALID_INPUT: everything that is wrong. */
  issues?: readonly { path: readonly string[]; code: string; message: string }[] | undefined;
  /** OFFSET_MISMATCH: how many bytes the server holds. */
  offsetBytes?: number | undefined;
  /** TOO_LARGE: the most that content of this kind may have. */
  limitBytes?: number | undefined;
  /** UNSUPPORTED_MEDIA: MIME type that the content was found to be. */
  mediaType?: string | undefined;
  /** HTTP status of the answer. */
  status?: number | undefined;
  /** How long the server asks to be left alone. */
  retryAfterMs?: number | undefined;
}

/** Why an upload failed. The message is a sentence for people. */
export class UploadError extends Error {
  override readonly name = 'UploadError';
  readonly code: UploadErrorCode;
  readonly details: UploadErrorDetails;
  /**
   * The session that is left on the server, if there is one: to go on with it, `upload` the same blob
   * with this `uploadId`; to throw away what was sent, `abort` it.
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
