import { createHmac } from 'node:crypto';
import { inTransaction } from '../../store/transaction.ts';
import { findGuesses, lockGuesses, putGuesses, subtractGuess } from '../../store/viewer/guess.ts';
import type { Services } from '../context.ts';
import { TooManyRequestsError } from '../error.ts';

/*
 * Wrong passwords are counted in the database, for all processes. Each count is the time when the last of the guesses is
 * forgotten: a guess moves it by its cost.
 *
 * A stranger must not be able to lock a user out, so the count of a name alone refuses nobody. It makes guesses dearer
 * for each address that has guessed at the name: if many addresses guess, each of them waits for as long as the name
 * takes to forget all of their guesses, so that together they make about one guess per interval.
 */

/** Wrong passwords that one address may send for one name at once; after these, one more per interval. */
const GUESSES_MAX = 20;
const GUESS_INTERVAL_MS = 30_000;

/** The same for one address and all names together. */
const ADDRESS_GUESSES_MAX = 100;
const ADDRESS_INTERVAL_MS = 10_000;

/** Maximum time that the guesses at a name are remembered, and maximum cost of one guess. */
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
  /** The address, if the user of the name has signed in from it. */
  known: string;
}

type Environment = Pick<Services, 'db' | 'clock' | 'adminKeySha256'>;

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
  costOf(subjects, await readTimes(environment.db, subjects), environment.clock());
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
  const { ownMs, isKnownLong } = await inTransaction(db, async (db) => {
    await lockGuesses(db, [subjects.name, subjects.address]);
    const times = await readTimes(db, subjects);
    const ownMs = costOf(subjects, times, now);
    const later = (subject: string, costMs: number) => ({
      subject,
      forgotten_at: Math.max(times(subject), now) + costMs,
    });
    await putGuesses(db, [
      later(subjects.own, ownMs),
      later(subjects.name, GUESS_INTERVAL_MS),
      later(subjects.address, ADDRESS_INTERVAL_MS),
    ]);
    return { ownMs, isKnownLong: times(subjects.known) > now + KNOWN_MS - KNOWN_RENEWED_MS };
  });
  const refund = async () => {
    await inTransaction(db, async (db) => {
      await lockGuesses(db, [subjects.name, subjects.address]);
      await subtractGuess(db, subjects.own, ownMs);
      await subtractGuess(db, subjects.name, GUESS_INTERVAL_MS);
      await subtractGuess(db, subjects.address, ADDRESS_INTERVAL_MS);
    });
  };
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

/** Returns the cost of a guess for its name at its address, in milliseconds. Throws TooManyRequestsError. */
function costOf({ name, address, own, known }: Subjects, times: Times, now: number): number {
  const waitMs = (subject: string, roomMs: number) => times(subject) - now - roomMs;
  const leftMs = (subject: string) => Math.max(times(subject) - now, 0);
  const elsewhereMs = times(known) > now ? 0 : leftMs(name) - leftMs(own);
  const isAttacked = elsewhereMs >= GUESSES_MAX * GUESS_INTERVAL_MS;
  const ownRoomMs = isAttacked ? 0 : (GUESSES_MAX - 1) * GUESS_INTERVAL_MS;
  const tooSoonMs = Math.max(
    waitMs(own, ownRoomMs),
    waitMs(address, (ADDRESS_GUESSES_MAX - 1) * ADDRESS_INTERVAL_MS),
  );
  if (tooSoonMs > 0) throw new TooManyRequestsError(tooSoonMs);
  return isAttacked ? Math.min(elsewhereMs, REMEMBERED_MS) : GUESS_INTERVAL_MS;
}

/** Names and addresses are stored as keyed hashes: people type passwords into the field of the name. */
function toSubjects({ adminKeySha256 }: Environment, name: string, address: string): Subjects {
  const hash = createHmac('sha256', adminKeySha256).update(`name:${name}`).digest('base64url');
  const short = hash.slice(0, 22);
  return {
    name: `name:${short}`,
    address: `address:${address}`,
    own: `own:${short}:${address}`,
    known: `known:${short}:${address}`,
  };
}
