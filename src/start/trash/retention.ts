import type { z } from 'zod';
import { wholeNumber } from '../setting.ts';

/** Configuration of how long the server keeps what is no longer in use, and how often it reads what is. */
export interface Retention {
  /** Days after which deleted nodes are purged from the trash; 0: a deletion is for ever. */
  trashDays: number;
  /** Number of replaced files that are kept of each media item. */
  versionsMax: number;
  /** Days for which entries of the audit log are kept; 0: nothing is recorded. */
  auditDays: number;
  /** Days in which all stored bytes are read again once; 0: never. */
  rehashDays: number;
}

/** The variables of the retention, as in `VARIABLES`. */
export const RETENTION_VARIABLES = {
  TRIVIUM_TRASH_DAYS: [
    wholeNumber(0, 36_500).default(30),
    'days that deleted media and folders stay in the trash; 0: deleted at once; default: 30',
  ],
  TRIVIUM_VERSIONS_MAX: [
    wholeNumber(0, 1000).default(5),
    'replaced files that are kept of each media item; 0 keeps none; default: 5',
  ],
  TRIVIUM_AUDIT_DAYS: [
    wholeNumber(0, 36_500).default(90),
    'days for which the audit log is kept; 0: nothing is recorded, and the log is deleted; default: 90',
  ],
  TRIVIUM_REHASH_DAYS: [
    wholeNumber(0, 3650).default(30),
    'days in which all stored bytes are read again once and their digests compared; 0: never; default: 30',
  ],
} as const satisfies Record<string, readonly [z.ZodType, string]>;

type Values = {
  [Name in keyof typeof RETENTION_VARIABLES]: z.output<(typeof RETENTION_VARIABLES)[Name][0]>;
};

/** Converts the values of the variables. */
export function toRetention(values: Values): Retention {
  return {
    trashDays: values.TRIVIUM_TRASH_DAYS,
    versionsMax: values.TRIVIUM_VERSIONS_MAX,
    auditDays: values.TRIVIUM_AUDIT_DAYS,
    rehashDays: values.TRIVIUM_REHASH_DAYS,
  };
}
