import { StorageError } from '../failure.ts';

/** Codes of stores that have no room for the bytes: Ceph, MinIO and Swift name a quota or a full disk in their own way. */
const FULL: readonly string[] = [
  'QuotaExceeded',
  'StorageFull',
  'XMinioAdminBucketQuotaExceeded',
  'XMinioStorageFull',
  'InsufficientStorage',
];

/** Codes after which the same request may succeed, whatever the status is. */
const PASSING: readonly string[] = [
  'SlowDown',
  'InternalError',
  'ServiceUnavailable',
  'Throttling',
  'RequestTimeout',
  'OperationAborted',
  'ConditionalRequestConflict',
  // The bytes have changed on their way.
  'BadDigest',
  'XAmzContentSHA256Mismatch',
];

const PASSING_STATUSES: readonly number[] = [429, 500, 502, 503, 504];

/** Codes of credentials that other ones may replace. */
const REFUSED: readonly string[] = [
  'ExpiredToken',
  'InvalidToken',
  'TokenRefreshRequired',
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
];

/** What is known of a failed request. */
export interface S3Failure {
  /** Null if there was no response. */
  status: number | null;
  /** The code in the body of the response, such as `NoSuchKey`; empty if there is none. */
  code?: string;
  message: string;
  cause?: unknown;
}

/**
 * A failed request to the store. Its message names the request and the response, never a credential. `failure` says
 * what it means to a client of this server: the store has no room, or cannot be used now.
 */
export class S3Error extends StorageError {
  override readonly name = 'S3Error';
  readonly status: number | null;
  readonly code: string;

  constructor({ status, code = '', message, cause }: S3Failure) {
    const isFull = status === 507 || FULL.includes(code);
    super(isFull ? 'full' : 'unavailable', message, cause === undefined ? undefined : { cause });
    this.status = status;
    this.code = code;
  }

  /** Whether the same request may succeed a moment later. */
  get isPassing(): boolean {
    if (this.failure === 'full') return false;
    return (
      this.status === null || PASSING_STATUSES.includes(this.status) || PASSING.includes(this.code)
    );
  }

  /** Whether the store refused the credentials, so that newer ones may help. A response to HEAD has no code. */
  get isRefused(): boolean {
    if (this.code === '') return this.status === 400 || this.status === 403;
    return REFUSED.includes(this.code);
  }
}

/** Tells whether a request failed with this code, such as `NoSuchUpload`. */
export function isS3Error(error: unknown, code: string): error is S3Error {
  return error instanceof S3Error && error.code === code;
}
