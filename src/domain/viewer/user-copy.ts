import { cleanName } from '../../lib/name.ts';
import type { NewUserRow, UserRow } from '../../store/table.ts';
import { inTransaction } from '../../store/transaction.ts';
import { deleteSessionsOfUser } from '../../store/viewer/session.ts';
import {
  adoptUsers as adoptRows,
  deleteUsers,
  findUserByName,
  insertNewUsers,
  insertUser,
  listUsersFromFile,
  lockUsersFile,
  updateUser,
} from '../../store/viewer/user.ts';
import type { Services } from '../context.ts';
import { losesRights, revokeKeysOf } from './key-owner.ts';
import type { UserEntry } from './user-entry.ts';
import { userId } from './viewer.ts';

type Environment = Pick<Services, 'db' | 'clock'>;

/** Adds the users of a file whose names are not taken; from then on, the database has them. Returns their number. */
export async function importUsers(
  { db, clock }: Environment,
  entries: readonly UserEntry[],
): Promise<number> {
  return inTransaction(db, async (db) => {
    let added = 0;
    for (const entry of byName(entries).values()) {
      added += await insertNewUsers(db, [toRow(entry, clock())]);
    }
    return added;
  });
}

/** Keeps the copies of a users' file that is no longer used, as users of the database. */
export function adoptUsers({ db }: Pick<Environment, 'db'>): Promise<void> {
  return adoptRows(db);
}

/**
 * Makes the users that are copies of a file equal to it. A user whose entry is gone, or has a new password, loses its
 * sessions; one whose entry is gone, or has fewer rights, loses the keys that it has created. A user of the database with the name of an entry becomes a copy of that.
 */
export async function copyUsers(
  { db, clock }: Environment,
  entries: readonly UserEntry[],
): Promise<void> {
  const wanted = byName(entries);
  await inTransaction(db, async (db) => {
    await lockUsersFile(db);
    const gone = (await listUsersFromFile(db)).filter(({ name }) => !wanted.has(name));
    if (gone.length > 0)
      await deleteUsers(
        db,
        gone.map(({ id }) => id),
      );
    const reduced = gone.map(({ name }) => userId(name));
    for (const [name, entry] of wanted) {
      const row = { ...toRow(entry, clock()), is_from_file: 1 };
      const known = await findUserByName(db, name);
      if (known === undefined) await insertUser(db, row);
      else if (!isSame(known, row)) {
        const { role, start_nodes, password, is_from_file, updated_at } = row;
        await updateUser(db, known.id, { role, start_nodes, password, is_from_file, updated_at });
        if (known.password !== password) await deleteSessionsOfUser(db, known.id);
        if (losesRights(known, row)) reduced.push(userId(name));
      }
    }
    await revokeKeysOf({ db, clock }, reduced);
  });
}

/** Returns the entries by the names that are compared. The first of several with one name counts. */
function byName(entries: readonly UserEntry[]): Map<string, UserEntry> {
  return new Map(entries.map((entry) => [cleanName(entry.name), entry] as const).toReversed());
}

function toRow({ name, role, start_nodes, password }: UserEntry, now: number) {
  return {
    name: cleanName(name),
    role,
    start_nodes: start_nodes === undefined ? null : JSON.stringify(start_nodes),
    password,
    created_by: null,
    created_at: now,
    updated_at: now,
  } satisfies NewUserRow;
}

function isSame(known: UserRow, row: NewUserRow): boolean {
  const columns = ['role', 'start_nodes', 'password', 'is_from_file'] as const;
  return columns.every((column) => known[column] === row[column]);
}
