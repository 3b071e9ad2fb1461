import { formatBytes } from '../lib/byte-size.ts';
import { type ExceededLimit, tooManyText } from './exceeded-limit.ts';

/**
 * A failure that a caller can act on: one of a closed set, each with a stable `code`, a message for
 * people and typed fields for machines. Any other error is a bug.
 */
export abstract class DomainError extends Error {
  abstract readonly code: ErrorCode;
  /** The one of several objects that an operation failed for; undefined if it was given one, or failed for none of them. */
  failed?: FailedObject;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** An object that an operation was given: a node by its id, of either kind unless `kind` says which. */
export interface FailedObject {
  id: number;
  kind?: 'folder' | 'media' | null;
  /** The id as the client sent it. Only a transport knows it. */
  sentId?: string;
}

/** The codes. They are stable and never reused, because clients branch on them. */
export type ErrorCode =
  | 'INVALID_INPUT'
  | 'NOT_AUTHENTICATED'
  | 'FORBIDDEN'
  | 'NOT_FOUND'
  | 'FOLDER_NOT_EMPTY'
  | 'ALREADY_EXISTS'
  | 'ILLEGAL_SIGNAL'
  | 'BEING_DELETED'
  | 'FOLDER_CYCLE'
  | 'OFFSET_MISMATCH'
  | 'UPLOAD_EXPIRED'
  | 'UPLOAD_COMPLETED'
  | 'DIGEST_MISMATCH'
  | 'TOO_LARGE'
  | 'UNSUPPORTED_MEDIA'
  | 'SERVER_BUSY'
  | 'TOO_MANY_REQUESTS'
  | 'QUOTA_EXCEEDED'
  | 'INSUFFICIENT_STORAGE'
  | 'STORAGE_UNAVAILABLE'
  | 'FILE_DAMAGED'
  | 'AUTH_UNAVAILABLE'
  | 'DATABASE_UNAVAILABLE'
  | 'SUBSCRIPTION_LAGGED';

/** One mistake in the input. */
export interface InputIssue {
  /** Name of the field, outermost first: `["tagIds", 2]`. */
  path: readonly (string | number)[];
  /** Stable, `UPPER_SNAKE`. */
  code: string;
  /** The expected value, in a sentence for people. */
  message: string;
  /** The largest allowed value, for `TOO_BIG`. */
  limit?: number;
}

/** The input is invalid, for every viewer and at any time. */
export class InvalidInputError extends DomainError {
  readonly code = 'INVALID_INPUT';
  readonly issues: readonly InputIssue[];

  /** `message` defaults to the messages of all issues. */
  constructor(issues: readonly InputIssue[], message = messageOf(issues)) {
    super(message);
    this.issues = issues;
  }

  static of(field: string, code: string, message: string): InvalidInputError {
    return new InvalidInputError([{ path: [field], code, message }]);
  }
}

function messageOf(issues: readonly InputIssue[]): string {
  return issues
    .map(({ path, message }) => (path.length === 0 ? message : `${path.join('.')}: ${message}`))
    .join('; ');
}

/** The request needs a credential, and has none, or an invalid or expired one. */
export class NotAuthenticatedError extends DomainError {
  readonly code = 'NOT_AUTHENTICATED';
  /**
   * `missing`: no credential was sent; `rejected`: the credential is invalid or has expired; `changed`: it has other
   * rights than at the start of a stream; `wrong`: a user name or its password is wrong.
   */
  readonly reason: keyof typeof REASONS;

  constructor(reason: keyof typeof REASONS = 'missing') {
    super(REASONS[reason]);
    this.reason = reason;
  }
}

const REASONS = {
  missing: 'Authentication credentials were not provided.',
  rejected: 'The credential is not valid, or has expired.',
  changed: 'The rights of the credential have changed. Subscribe again.',
  wrong: 'The user name or password is incorrect.',
} as const;

/** The viewer may see the object, but not do this to it. */
export class ForbiddenError extends DomainError {
  readonly code = 'FORBIDDEN';

  constructor(message = 'You do not have permission to perform this action.') {
    super(message);
  }
}

/** The object does not exist, or the viewer may not know that it exists. */
export class NotFoundError extends DomainError {
  readonly code = 'NOT_FOUND';
  readonly noun: string;
  readonly id: string;

  constructor(noun: string, id: string | number) {
    super(`There is no ${noun} "${id}".`);
    this.noun = noun;
    this.id = String(id);
  }
}

/** The current state does not allow the change; `code` says why. Subclasses carry the details of one code. */
export class ConflictError extends DomainError {
  readonly code: 'FOLDER_NOT_EMPTY' | 'ALREADY_EXISTS' | 'ILLEGAL_SIGNAL' | 'BEING_DELETED';

  constructor(code: ConflictError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/** The move would put a folder into itself or into its own subtree. */
export class FolderCycleError extends DomainError {
  readonly code = 'FOLDER_CYCLE';

  constructor() {
    super('A folder cannot be moved into itself or into a folder below it.');
  }
}

/** A chunk does not start at the upload's offset, or `complete` was called before the last byte. */
export class OffsetMismatchError extends DomainError {
  readonly code = 'OFFSET_MISMATCH';
  /** The number of bytes that the server has: the next chunk must start there. */
  readonly offsetBytes: number;

  constructor(offsetBytes: number) {
    super(
      `The server has ${offsetBytes} bytes of this upload. The next chunk must start at offset ${offsetBytes}.`,
    );
    this.offsetBytes = offsetBytes;
  }
}

/** The upload session expired before all bytes arrived; they have been deleted, or soon will be. */
export class UploadExpiredError extends DomainError {
  readonly code = 'UPLOAD_EXPIRED';

  constructor() {
    super('The upload session has expired. Start a new one.');
  }
}

/** The upload session has been completed: it accepts no more bytes, and cannot be aborted. */
export class UploadCompletedError extends DomainError {
  readonly code = 'UPLOAD_COMPLETED';

  constructor() {
    super('The upload session has already been completed.');
  }
}

/** The received bytes do not have the digest that the client declared. */
export class DigestMismatchError extends DomainError {
  readonly code = 'DIGEST_MISMATCH';
  readonly expected: string;
  readonly actual: string;

  constructor(expected: string, actual: string) {
    super(`The MD5 of the received bytes is ${actual}, not ${expected}.`);
    this.expected = expected;
    this.actual = actual;
  }
}

/** A limit on the size of a file, with the setting that an operator changes it by. */
export interface SizeLimit {
  bytes: number;
  setting: 'TRIVIUM_IMAGE_BYTES_MAX' | 'TRIVIUM_DOCUMENT_BYTES_MAX' | 'TRIVIUM_FILE_BYTES_MAX';
}

/** The content has more bytes than its kind may have. */
export class TooLargeError extends DomainError {
  readonly code = 'TOO_LARGE';
  readonly limitBytes: number;

  constructor({ bytes, setting }: SizeLimit) {
    super(`The size exceeds the limit of ${formatBytes(bytes)} (${setting}).`);
    this.limitBytes = bytes;
  }
}

/** The content's type is not accepted, or contradicts its name or declared type. */
export class UnsupportedMediaError extends DomainError {
  readonly code = 'UNSUPPORTED_MEDIA';
  /** The MIME type found from the content. */
  readonly mediaType: string;

  constructor(mediaType: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.mediaType = mediaType;
  }
}

/** Delay before a retry after a queue was full, in milliseconds: by then most of the queue has been served. */
export const RETRY_AFTER_MS = 5000;

/** A failure that passes: the same call may succeed later. */
export abstract class PassingError extends DomainError {
  /** Delay after which another try may succeed, in milliseconds. */
  readonly retryAfterMs: number;

  constructor(message: string, retryAfterMs: number, options?: ErrorOptions) {
    super(message, options);
    this.retryAfterMs = retryAfterMs;
  }
}

/** The server runs too much work of this kind already. */
export class ServerBusyError extends PassingError {
  readonly code = 'SERVER_BUSY';

  constructor(retryAfterMs = RETRY_AFTER_MS, options?: ErrorOptions) {
    super('The server is too busy for this operation. Try again later.', retryAfterMs, options);
  }
}

/** The client sent too many requests of this kind, or too many wrong ones, or has too much under way. */
export class TooManyRequestsError extends PassingError {
  readonly code = 'TOO_MANY_REQUESTS';
  /** Null: the limit is not one of a viewer or an address. */
  readonly exceeded: ExceededLimit | null;

  constructor(retryAfterMs: number, exceeded: ExceededLimit | null = null) {
    super(
      exceeded === null
        ? 'There were too many requests of this kind. Try again later.'
        : tooManyText(exceeded),
      retryAfterMs,
    );
    this.exceeded = exceeded;
  }
}

/** The credential cannot be checked at the moment, which is not the sender's fault. */
export class AuthUnavailableError extends PassingError {
  readonly code = 'AUTH_UNAVAILABLE';

  constructor(options?: ErrorOptions) {
    super(
      'The credential cannot be checked at the moment. Try again later.',
      RETRY_AFTER_MS,
      options,
    );
  }
}

/** The database cannot be reached at the moment. A write that fails so may have been done. */
export class NoDatabaseError extends PassingError {
  readonly code = 'DATABASE_UNAVAILABLE';

  constructor(options?: ErrorOptions) {
    super(
      'The database cannot be reached at the moment. Try again later.',
      RETRY_AFTER_MS,
      options,
    );
  }
}

/** A subscriber was so slow that it lost events: it must read its data again. */
export class SubscriptionLaggedError extends DomainError {
  readonly code = 'SUBSCRIPTION_LAGGED';

  constructor() {
    super(
      'The subscription missed events because the client read them too slowly. Subscribe again and reload the data.',
    );
  }
}
