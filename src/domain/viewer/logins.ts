import { createTurns, type Turns } from '../../lib/turns.ts';
import { RETRY_AFTER_MS, TooManyRequestsError } from '../error.ts';
import type { isPassword } from './password.ts';

/** What the logins of this process share. */
export interface Logins {
  /** Limits the checks of passwords at once: each takes 32 MiB, and one of the four threads that also read files. */
  turns: Turns;
  /** Makes the copies of the users' file, if there is one, equal to it. */
  refreshUsers: () => Promise<void>;
  /** (Default: `isPassword`) */
  verify?: typeof isPassword;
}

/** Maximum number of checks at once, and of those that wait: in all, and from one address. */
const CHECKS_AT_ONCE = 2;
const CHECKS_WAITING_MAX = 32;
const ADDRESS_WAITING_MAX = 16;

/** Creates what the logins of a process share. */
export function createLogins(refreshUsers: Logins['refreshUsers'] = async () => undefined): Logins {
  const turns = createTurns({
    runningMax: CHECKS_AT_ONCE,
    waitingMax: CHECKS_WAITING_MAX,
    groupWaitingMax: ADDRESS_WAITING_MAX,
    tooBusy: () => new TooManyRequestsError(RETRY_AFTER_MS),
  });
  return { turns, refreshUsers };
}
