import type { Db } from '../db.ts';
import { isAnyOf, lockText } from '../dialect.ts';
import { inline } from '../inline.ts';
import type { GuessRow } from '../table.ts';

/** Returns the guesses of each subject that has any, also those that are forgotten already. */
export function findGuesses(db: Db, subjects: readonly string[]): Promise<GuessRow[]> {
  return inline(db, subjects.length)
    .selectFrom('login_guess')
    .where(isAnyOf(db, 'subject', subjects))
    .selectAll()
    .execute();
}

/**
 * Makes other transactions that lock one of these subjects wait until this one ends. To avoid deadlocks, call it once,
 * before any other lock of the transaction.
 */
export async function lockGuesses(db: Db, subjects: readonly string[]): Promise<void> {
  for (const subject of [...subjects].sort()) await lockText(db, subject);
}

/** Sets the guesses of some subjects. */
export async function putGuesses(db: Db, guesses: readonly GuessRow[]): Promise<void> {
  await db
    .insertInto('login_guess')
    .values([...guesses])
    .onConflict((conflict) =>
      conflict
        .column('subject')
        .doUpdateSet((eb) => ({ forgotten_at: eb.ref('excluded.forgotten_at') })),
    )
    .execute();
}

/** Takes back a guess: its subject forgets the others earlier by this time, in milliseconds. */
export async function subtractGuess(db: Db, subject: string, costMs: number): Promise<void> {
  await db
    .updateTable('login_guess')
    .set((eb) => ({ forgotten_at: eb('forgotten_at', '-', costMs) }))
    .where('subject', '=', subject)
    .execute();
}

/** Deletes the guesses that are forgotten at a time, in milliseconds since 1970. */
export async function deleteGuessesBefore(db: Db, time: number): Promise<void> {
  await db.deleteFrom('login_guess').where('forgotten_at', '<=', time).execute();
}
