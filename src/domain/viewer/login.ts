import { cleanName } from '../../lib/name.ts';
import { createTurns } from '../../lib/turns.ts';
import { RETRY_AFTER_MS, TooManyRequestsError } from '../error.ts';
import { isPassword } from './password.ts';
import { NAME_MAX, type User } from './user.ts';

/** Checks names and passwords. */
export interface Login {
  /**
   * Returns the user, or null if the name or the password is wrong. Throws TooManyRequestsError while many others are
   * being checked, and after many wrong passwords for one name.
   */
  check(name: string, password: string): Promise<User | null>;
}

/** The dependencies of logins. */
export interface LoginOptions {
  /** Called at each login, so that added and removed users are noticed. */
  listUsers: () => Promise<User[]>;
  /** Milliseconds since 1970. */
  clock: () => number;
  /** (Default: `isPassword`) */
  verify?: typeof isPassword;
}

/** Maximum number of checks at once. Each takes 32 MiB, and one of the four threads that also read files. */
const CHECKS_AT_ONCE = 2;
const CHECKS_WAITING_MAX = 32;

/** Guesses at one name that are allowed at once; after these, one more per interval. */
const GUESSES_MAX = 20;
const GUESS_INTERVAL_MS = 30_000;

/** One more than the length of the longest name: no user has a longer one. */
const NAME_COMPARED = NAME_MAX + 1;

/** Creates the login of this process. Each process that serves a database has limits of its own. */
export function createLogin({ listUsers, clock, verify = isPassword }: LoginOptions): Login {
  const turns = createTurns({
    runningMax: CHECKS_AT_ONCE,
    waitingMax: CHECKS_WAITING_MAX,
    tooBusy: () => new TooManyRequestsError(RETRY_AFTER_MS),
  });
  const guesses = createGuesses(clock);
  return {
    async check(givenName, password) {
      const name = cleanName(givenName).slice(0, NAME_COMPARED);
      // Counted before the outcome is known: otherwise any number could be under way at once.
      const refund = guesses.charge(name);
      let isWrong = false;
      try {
        const endTurn = await turns.take();
        try {
          const user = (await listUsers()).find((user) => cleanName(user.name) === name) ?? null;
          isWrong = !(await verify(password, user?.password ?? null));
          return isWrong ? null : user;
        } finally {
          endTurn();
        }
      } finally {
        if (!isWrong) refund();
      }
    },
  };
}

/**
 * Counts the guesses at each name, also at unknown names, so that a rejection does not reveal which names exist. A
 * count decreases with time. While a name is locked out, the correct password is rejected, too; it does not count as a
 * guess.
 */
function createGuesses(clock: () => number) {
  /** The time when the last of the guesses so far is forgotten. */
  const forgottenAt = new Map<string, number>();
  return {
    charge(name: string): () => void {
      const now = clock();
      if (forgottenAt.size >= NAMES_PRUNED_AT) prune(now);
      const next = Math.max(forgottenAt.get(name) ?? now, now) + GUESS_INTERVAL_MS;
      const tooSoonMs = next - now - GUESSES_MAX * GUESS_INTERVAL_MS;
      if (tooSoonMs > 0) throw new TooManyRequestsError(tooSoonMs);
      forgottenAt.set(name, next);
      return () => forgottenAt.set(name, (forgottenAt.get(name) ?? now) - GUESS_INTERVAL_MS);
    },
  };

  function prune(now: number): void {
    for (const [name, at] of forgottenAt) if (at <= now) forgottenAt.delete(name);
  }
}

/** Rarely reached: each name has had a password checked within the last minutes. */
const NAMES_PRUNED_AT = 1000;
