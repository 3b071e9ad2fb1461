import { TooManyRequestsError } from '../error.ts';
import { isPassword } from './password.ts';
import { NAME_MAX, type User } from './user.ts';

/** Whom names and passwords let in. */
export interface Login {
  /**
   * The user, or null. Throws TooManyRequestsError while many others are being checked, and after many wrong
   * passwords for one name.
   */
  check(name: string, password: string): Promise<User | null>;
}

/** What logins are checked with. */
export interface LoginOptions {
  /** Asked at each login, so that who is added or removed meanwhile is known. */
  listUsers: () => Promise<User[]>;
  /** Milliseconds since 1970. */
  clock: () => number;
  /** Default: `isPassword`. */
  verify?: typeof isPassword;
}

/** Each takes 32 MiB, and one of the four threads that files are read with, too. */
const CHECKS_AT_ONCE = 2;
const CHECKS_WAITING_MAX = 32;
/** By then those who wait have had their turn. */
const RETRY_AFTER_MS = 5000;

/** Guesses at one name that go at once; after these, one more for each interval. */
const GUESSES_MAX = 20;
const GUESS_INTERVAL_MS = 30_000;

/** One more than a user's name can have: whatever is longer is nobody's. */
const NAME_COMPARED = NAME_MAX + 1;

/** Of this process: where several serve one database, each has limits of its own. */
export function createLogin({ listUsers, clock, verify = isPassword }: LoginOptions): Login {
  const takeTurn = createTurns();
  const guesses = createGuesses(clock);
  return {
    async check(givenName, password) {
      const name = givenName.normalize('NFC').slice(0, NAME_COMPARED);
      // Before the outcome is known: else any number could be under way at once.
      const refund = guesses.charge(name);
      let isWrong = false;
      try {
        return await takeTurn(async () => {
          const user = (await listUsers()).find((user) => user.name === name) ?? null;
          isWrong = !(await verify(password, user?.password ?? null));
          return isWrong ? null : user;
        });
      } finally {
        if (!isWrong) refund();
      }
    },
  };
}

/** Runs a few at once, lets some wait, and refuses the others. */
function createTurns() {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async <T>(work: () => Promise<T>): Promise<T> => {
    if (running < CHECKS_AT_ONCE) running += 1;
    else if (waiting.length < CHECKS_WAITING_MAX) {
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else throw new TooManyRequestsError(RETRY_AFTER_MS);
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      // A turn is handed over, so that nobody who comes now can take it.
      if (next === undefined) running -= 1;
      else next();
    }
  };
}

/**
 * Counts the guesses at each name, also at one that nobody has: what is refused tells nothing. A count goes
 * down with time. The right password is not counted, but refused with the wrong ones while somebody guesses.
 */
function createGuesses(clock: () => number) {
  /** When the last of the guesses so far is forgotten. */
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

/** Few can be more: each has had a password checked within the last minutes. */
const NAMES_PRUNED_AT = 1000;
