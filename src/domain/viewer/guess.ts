import { createHmac } from 'node:crypto';
import { inTransaction } from '../../store/transaction.ts';
import { findGuesses, lockGuesses, putGuesses, subtractGuess } from '../../store/viewer/guess.ts';
import type { Services } from '../context.ts';
import { TooManyRequestsError } from '../error.ts';

/*
 * Wrong passwords are counted in the database, for all processes. Each count is the time when the last of the guesses is
 * forgotten: a guess moves it by its cost.
 *
 * A stranger must not be able to lock a user out, so the count of a name alone refuses nobody. It only delays the next
 * guess of an address that has sent a wrong password: by the time that the name takes to forget the guesses of all, so
 * that many addresses together make about one guess per interval.
 */

/** Wrong passwords that one address may send for one name at once; after these, one more per interval. */
const GUESSES_MAX = 20;
const GUESS_INTERVAL_MS = 30_000;

/** The same for one address and all names together. */
const ADDRESS_GUESSES_MAX = 100;
const ADDRESS_INTERVAL_MS = 10_000;

/** Maximum time for which guesses are remembered. One delays the next by at most as much. */
const REMEMBERED_MS = 24 * 3_600_000;

/** An address from which a user has signed in is not slowed down by the guesses of others for this long. */
const KNOWN_MS = 30 * 24 * 3_600_000;
/** The time is renewed at most this often. */
const KNOWN_RENEWED_MS = 24 * 3_600_000;

/** The subjects of a guess. */
interface Subjects {
  name: string;
  address: string;
  /** The name as this address guesses it. */
  own: string;
  /** The same, for as long as it must not guess because others do. */
  slow: string;
  /** The address, if the user of the name has signed in from it. */
  known: string;
}

type Environment = Pick<Services, 'db' | 'clock' | 'adminKeySha256' | 'observer'>;

/** A guess whose outcome is not known yet. */
export interface Guess {
  /** Takes it back: it was no wrong password. */
  refund(): Promise<void>;
  /** Takes it back, and remembers that the user has signed in from this address. */
  confirm(): Promise<void>;
}

/**
 * Checks that the guess may be made, without counting it. Throws TooManyRequestsError. It spares a flood of refused
 * requests the transaction of `countGuess`.
 */
export async function checkGuess(
  environment: Environment,
  name: string,
  address: string,
): Promise<void> {
  const subjects = toSubjects(environment, name, address);
  const times = await readTimes(environment.db, subjects);
  delayOf(environment, subjects, times, environment.clock());
}

/**
 * Counts a guess at a name, as `cleanName` returns it, before its outcome is known: otherwise any number could be under
 * way at once. Unknown names are counted like others, so that a refusal does not reveal which names exist. Throws
 * TooManyRequestsError.
 */
export async function countGuess(
  environment: Environment,
  name: string,
  address: string,
): Promise<Guess> {
  const { db, clock } = environment;
  const subjects = toSubjects(environment, name, address);
  const now = clock();
  const { costs, isKnownLong } = await inTransaction(db, async (db) => {
    await lockGuesses(db, [subjects.name, subjects.address]);
    const times = await readTimes(db, subjects);
    const delayMs = delayOf(environment, subjects, times, now);
    const costs: (readonly [subject: string, costMs: number])[] = [
      ...(delayMs > 0 ? [[subjects.slow, delayMs] as const] : []),
      [subjects.own, GUESS_INTERVAL_MS],
      [subjects.name, GUESS_INTERVAL_MS],
      [subjects.address, ADDRESS_INTERVAL_MS],
    ];
    const guesses = costs.map(([subject, costMs]) => ({
      subject,
      forgotten_at: Math.min(Math.max(times(subject), now) + costMs, now + REMEMBERED_MS),
    }));
    await putGuesses(db, guesses);
    return { costs, isKnownLong: times(subjects.known) > now + KNOWN_MS - KNOWN_RENEWED_MS };
  });
  const refund = () =>
    inTransaction(db, async (db) => {
      await lockGuesses(db, [subjects.name, subjects.address]);
      for (const [subject, costMs] of costs) await subtractGuess(db, subject, costMs);
    });
  return {
    refund,
    async confirm() {
      await refund();
      if (isKnownLong) return;
      await putGuesses(db, [{ subject: subjects.known, forgotten_at: now + KNOWN_MS }]);
    },
  };
}

type Times = (subject: string) => number;

async function readTimes(db: Services['db'], subjects: Subjects): Promise<Times> {
  const rows = await findGuesses(db, Object.values(subjects));
  const times = new Map(rows.map(({ subject, forgotten_at }) => [subject, forgotten_at]));
  return (subject) => times.get(subject) ?? 0;
}

/**
 * Returns the time for which the address may not guess at the name again, because others do; almost always 0. Throws
 * TooManyRequestsError.
 */
function delayOf(
  { observer }: Environment,
  { name, address, own, slow, known }: Subjects,
  times: Times,
  now: number,
): number {
  const leftMs = (subject: string) => Math.max(times(subject) - now, 0);
  const isKnown = times(known) > now;
  const elsewhereMs = isKnown ? 0 : leftMs(name) - leftMs(own);
  const isAttacked = elsewhereMs >= GUESSES_MAX * GUESS_INTERVAL_MS;
  const tooSoonMs = Math.max(
    leftMs(own) - (isAttacked ? 0 : (GUESSES_MAX - 1) * GUESS_INTERVAL_MS),
    isKnown ? 0 : leftMs(slow),
    leftMs(address) - (ADDRESS_GUESSES_MAX - 1) * ADDRESS_INTERVAL_MS,
  );
  if (tooSoonMs > 0) {
    observer.refused('logins');
    throw new TooManyRequestsError(tooSoonMs);
  }
  return isAttacked ? elsewhereMs : 0;
}

/** Names and addresses are stored as keyed hashes: people type passwords into the field of the name. */
function toSubjects({ adminKeySha256 }: Environment, name: string, address: string): Subjects {
  const hash = createHmac('sha256', adminKeySha256).update(`name:${name}`).digest('base64url');
  const short = hash.slice(0, 22);
  return {
    name: `name:${short}`,
    address: `address:${address}`,
    own: `own:${short}:${address}`,
    slow: `slow:${short}:${address}`,
    known: `known:${short}:${address}`,
  };
}
