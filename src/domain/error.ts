import type { JobSignal, JobStatus } from './job/state.ts';

/**
 * Every failure that a caller can act on: a closed set, each with a stable `code`, a sentence for
 * people and typed fields for machines. Anything else that is thrown is a bug.
 */
export abstract class DomainError extends Error {
  abstract readonly code: ErrorCode;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** Stable and never reused: clients branch on it. */
export type ErrorCode =
  | 'INVALID_INPUT'
  | 'NOT_AUTHENTICATED'
  | 'FORBIDDEN'
  | 'NOT_FOUND'
  | 'FOLDER_NOT_EMPTY'
  | 'ALREADY_EXISTS'
  | 'ILLEGAL_SIGNAL'
  | 'FOLDER_CYCLE'
  | 'OFFSET_MISMATCH'
  | 'UPLOAD_EXPIRED'
  | 'UPLOAD_COMPLETED'
  | 'DIGEST_MISMATCH'
  | 'TOO_LARGE'
  | 'UNSUPPORTED_MEDIA'
  | 'SERVER_BUSY'
  | 'TOO_MANY_REQUESTS'
  | 'AUTH_UNAVAILABLE'
  | 'SUBSCRIPTION_LAGGED';

/** One thing wrong with the input. */
export interface InputIssue {
  /** Name of the field, outermost first: `["tagIds", 2]`. */
  path: readonly (string | number)[];
  /** Stable, `UPPER_SNAKE`. */
  code: string;
  /** What is expected, for people. */
  message: string;
  /** The most that may be, of `TOO_BIG`. */
  limit?: number;
}

/** Something about the input itself is wrong, whoever sends it and whenever. */
export class InvalidInputError extends DomainError {
  readonly code = 'INVALID_INPUT';
  readonly issues: readonly InputIssue[];

  constructor(issues: readonly InputIssue[]) {
    super(issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '));
    this.issues = issues;
  }

  static of(field: string, code: string, message: string): InvalidInputError {
    return new InvalidInputError([{ path: [field], code, message }]);
  }
}

/** No credential where one is needed, or one that is wrong or has expired. */
export class NotAuthenticatedError extends DomainError {
  readonly code = 'NOT_AUTHENTICATED';
  /** `missing`: none was sent; `rejected`: one was sent and is not good. */
  readonly reason: 'missing' | 'rejected';

  constructor(reason: 'missing' | 'rejected' = 'missing') {
    super(
      reason === 'missing'
        ? 'Authentication credentials were not provided.'
        : 'The credential is not valid, or has expired.',
    );
    this.reason = reason;
  }
}

/** The viewer may see the thing, but not do this to it. */
export class ForbiddenError extends DomainError {
  readonly code = 'FORBIDDEN';

  constructor(message = 'You do not have permission to perform this action.') {
    super(message);
  }
}

/** There is no such thing, or the viewer may not know that there is. */
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

/** The state of things stands against it; `code` says which. */
export class ConflictError extends DomainError {
  readonly code: 'FOLDER_NOT_EMPTY' | 'ALREADY_EXISTS' | 'ILLEGAL_SIGNAL';
  /** Of `ILLEGAL_SIGNAL`; null: of another conflict. */
  readonly job: JobState | null;
  /** Of `ALREADY_EXISTS`, where a job has what was asked for: its uuid. */
  readonly holder: string | null;

  constructor(
    code: ConflictError['code'],
    message: string,
    { job, holder }: { job?: JobState; holder?: string } = {},
  ) {
    super(message);
    this.code = code;
    this.job = job ?? null;
    this.holder = holder ?? null;
  }
}

/** What a job is, and what it can be told. */
export interface JobState {
  status: JobStatus;
  allowedSignals: readonly JobSignal[];
}

/** A folder would come to lie below itself. */
export class FolderCycleError extends DomainError {
  readonly code = 'FOLDER_CYCLE';

  constructor() {
    super('A folder cannot be moved into itself or below itself.');
  }
}

/** A chunk does not begin where the upload stands, or `complete` came before the last byte. */
export class OffsetMismatchError extends DomainError {
  readonly code = 'OFFSET_MISMATCH';
  /** How many bytes the server holds: where the next chunk must begin. */
  readonly offsetBytes: number;

  constructor(offsetBytes: number) {
    super(`The upload stands at byte ${offsetBytes}; send the bytes from there.`);
    this.offsetBytes = offsetBytes;
  }
}

/** The session’s time was over before its bytes were complete; they are gone, or soon will be. */
export class UploadExpiredError extends DomainError {
  readonly code = 'UPLOAD_EXPIRED';

  constructor() {
    super('The upload has expired; start a new one.');
  }
}

/** The session has become a media: nothing more can be sent to it, nor can it be aborted. */
export class UploadCompletedError extends DomainError {
  readonly code = 'UPLOAD_COMPLETED';

  constructor() {
    super('The upload has already been completed.');
  }
}

/** The bytes that arrived are not those that were meant. */
export class DigestMismatchError extends DomainError {
  readonly code = 'DIGEST_MISMATCH';
  readonly expected: string;
  readonly actual: string;

  constructor(expected: string, actual: string) {
    super(`The MD5 of the received bytes is ${actual}, and not ${expected}.`);
    this.expected = expected;
    this.actual = actual;
  }
}

/** More bytes than content of this kind may have. */
export class TooLargeError extends DomainError {
  readonly code = 'TOO_LARGE';
  readonly limitBytes: number;

  constructor(limitBytes: number) {
    super(`The size exceeds the limit of ${limitBytes} bytes.`);
    this.limitBytes = limitBytes;
  }
}

/** The content is of a kind that is not accepted, or not what its name or declared type says. */
export class UnsupportedMediaError extends DomainError {
  readonly code = 'UNSUPPORTED_MEDIA';
  /** What the content was found to be. */
  readonly mediaType: string;

  constructor(mediaType: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.mediaType = mediaType;
  }
}

/** Too much of this kind is being done already. */
export class ServerBusyError extends DomainError {
  readonly code = 'SERVER_BUSY';
  /** When it may be worth another try, in milliseconds. */
  readonly retryAfterMs: number;

  constructor(retryAfterMs: number) {
    super('The server has too much of this to do at the moment; try again later.');
    this.retryAfterMs = retryAfterMs;
  }
}

/** So much of this has come, or so often the wrong thing, that more has to wait. */
export class TooManyRequestsError extends DomainError {
  readonly code = 'TOO_MANY_REQUESTS';
  /** When it may be worth another try, in milliseconds. */
  readonly retryAfterMs: number;

  constructor(retryAfterMs: number) {
    super('There have been too many requests of this kind; try again later.');
    this.retryAfterMs = retryAfterMs;
  }
}

/** Whether a credential is good cannot be found out at the moment: no fault of its sender's. */
export class AuthUnavailableError extends DomainError {
  readonly code = 'AUTH_UNAVAILABLE';

  constructor(options?: ErrorOptions) {
    super('The credential cannot be checked at the moment; try again later.', options);
  }
}

/** A subscriber took so long that events were lost to it: what it shows is to be read anew. */
export class SubscriptionLaggedError extends DomainError {
  readonly code = 'SUBSCRIPTION_LAGGED';

  constructor() {
    super('More has changed than could be kept for you; read the list again and subscribe anew.');
  }
}
