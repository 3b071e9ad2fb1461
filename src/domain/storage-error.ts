import { DomainError, PassingError } from './error.ts';
import type { ExceededLimit } from './exceeded-limit.ts';

/** Delay before a retry after a quota was exceeded: it has room again only after something was deleted for ever. */
const QUOTA_RETRY_AFTER_MS = 3_600_000;

/** The viewer, or its address, would store more than its quota. */
export class QuotaExceededError extends PassingError {
  readonly code = 'QUOTA_EXCEEDED';
  readonly exceeded: ExceededLimit;

  constructor(exceeded: ExceededLimit) {
    const { name, limit } = exceeded;
    const what = name === 'items' ? 'media and folders' : 'bytes of files';
    super(
      `The quota of ${limit} ${what} is used up. Delete something for ever, or empty the trash.`,
      QUOTA_RETRY_AFTER_MS,
    );
    this.exceeded = exceeded;
  }
}

/** Delay before a retry after the disk was full: somebody has to make room first. */
const STORAGE_RETRY_AFTER_MS = 600_000;

/** The disk of the server has too little free space for the bytes. */
export class InsufficientStorageError extends PassingError {
  readonly code = 'INSUFFICIENT_STORAGE';

  constructor(options?: ErrorOptions) {
    super(
      'The server has too little free space. Try again later.',
      STORAGE_RETRY_AFTER_MS,
      options,
    );
  }
}

/** Delay before a retry after the disk failed. */
const UNAVAILABLE_RETRY_AFTER_MS = 60_000;

/** The disk of the server cannot be written to, or not be read, at the moment. */
export class StorageUnavailableError extends PassingError {
  readonly code = 'STORAGE_UNAVAILABLE';

  constructor(options?: ErrorOptions) {
    super(
      'The storage of the server cannot be used at the moment. Try again later.',
      UNAVAILABLE_RETRY_AFTER_MS,
      options,
    );
  }
}

/** Delay before a retry while the library is moved: it is read-only for some seconds, or until servers of the copy run. */
const MOVE_RETRY_AFTER_MS = { moving: 5000, moved: 60_000 };

/** The library is read-only, because it is being moved to another database or storage, or has been moved. */
export class LibraryReadOnlyError extends PassingError {
  readonly code = 'DATABASE_UNAVAILABLE';

  constructor(reason: 'moving' | 'moved', options?: ErrorOptions) {
    super(
      reason === 'moving'
        ? 'The library is being moved, and can be changed again in some seconds. Try again later.'
        : 'The library has been moved to another place. This server can only read it.',
      MOVE_RETRY_AFTER_MS[reason],
      options,
    );
  }
}

/** The stored bytes of a file are missing, or are not those that were uploaded. Only a backup has the good ones. */
export class DamagedFileError extends DomainError {
  readonly code = 'FILE_DAMAGED';

  constructor(options?: ErrorOptions) {
    super('The stored bytes of this file are damaged.', options);
  }
}
