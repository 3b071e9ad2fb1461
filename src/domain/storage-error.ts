import { DomainError } from './error.ts';
import type { ExceededLimit } from './exceeded-limit.ts';

/** Delay before a retry after a quota was exceeded: it has room again only after something was deleted. */
const QUOTA_RETRY_AFTER_MS = 3_600_000;

/** The viewer, or its address, would store more than its quota. */
export class QuotaExceededError extends DomainError {
  readonly code = 'QUOTA_EXCEEDED';
  readonly retryAfterMs = QUOTA_RETRY_AFTER_MS;
  readonly exceeded: ExceededLimit;

  constructor(exceeded: ExceededLimit) {
    const { name, limit } = exceeded;
    const what = name === 'items' ? 'media and folders' : 'bytes of files';
    super(`The quota of ${limit} ${what} is used up. Delete something first.`);
    this.exceeded = exceeded;
  }
}

/** Delay before a retry after the disk was full: somebody has to make room first. */
const STORAGE_RETRY_AFTER_MS = 600_000;

/** The disk of the server has too little free space for the bytes. */
export class InsufficientStorageError extends DomainError {
  readonly code = 'INSUFFICIENT_STORAGE';
  readonly retryAfterMs = STORAGE_RETRY_AFTER_MS;

  constructor(options?: ErrorOptions) {
    super('The server has too little free space for this file. Try again later.', options);
  }
}
