import type { z } from 'zod';
import { wholeNumber } from './setting.ts';

/** Configuration of how long the server keeps what is no longer in use. */
export interface Retention {
  /** Days after which deleted nodes are purged from the trash; 0: a deletion is for ever. */
  trashDays: number;
}

/** The variables of the retention, as in `VARIABLES`. */
export const RETENTION_VARIABLES = {
  TRIVIUM_TRASH_DAYS: [
    wholeNumber(0, 36_500).default(30),
    'days that deleted media and folders stay in the trash; 0: deleted at once; default: 30',
  ],
} as const satisfies Record<string, readonly [z.ZodType, string]>;

type Values = {
  [Name in keyof typeof RETENTION_VARIABLES]: z.output<(typeof RETENTION_VARIABLES)[Name][0]>;
};

/** Converts the values of the variables. */
export function toRetention(values: Values): Retention {
  return { trashDays: values.TRIVIUM_TRASH_DAYS };
}
