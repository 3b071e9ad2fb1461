import { sql } from 'kysely';
import { countRows, type Keyset, listPage, type PageRequest, type RowPage } from '../cursor.ts';
import type { Db } from '../db.ts';
import { isAnyOf, lockText } from '../dialect.ts';
import { inline } from '../inline.ts';
import type { NewUserRow, UserColumns, UserRow } from '../table.ts';

/** The users that a list shows. */
export interface UserFilter {
  /** Only users that this viewer has created. Null: all. */
  createdBy: string | null;
}

/** Inserts a user and returns its row. A second one with the same name is a unique violation. */
export function insertUser(db: Db, user: NewUserRow): Promise<UserRow> {
  return db.insertInto('user_account').values(user).returningAll().executeTakeFirstOrThrow();
}

/** Inserts the users whose names are not taken. */
export async function insertNewUsers(db: Db, users: readonly NewUserRow[]): Promise<number> {
  if (users.length === 0) return 0;
  const inserted = await db
    .insertInto('user_account')
    .values([...users])
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .execute();
  return inserted.length;
}

/** Returns the user by name, as `cleanName` returns it. */
export function findUserByName(db: Db, name: string): Promise<UserRow | undefined> {
  return inline(db)
    .selectFrom('user_account')
    .where('name', '=', name)
    .selectAll()
    .executeTakeFirst();
}

/** Returns one page of users. */
export function listUsers(
  db: Db,
  filter: UserFilter,
  keyset: Keyset,
  page: PageRequest,
): Promise<RowPage<UserRow>> {
  return listPage(filtered(inline(db, page.limit), filter).selectAll(), keyset, page);
}

/** Returns the number of users. */
export function countUsers(db: Db, filter: UserFilter): Promise<number> {
  return countRows(filtered(db, filter));
}

/** Returns the users with these ids, unordered. */
export function listUsersByIds(
  db: Db,
  filter: UserFilter,
  ids: readonly number[],
): Promise<UserRow[]> {
  return filtered(inline(db, ids.length), filter)
    .where(isAnyOf(db, 'id', ids))
    .selectAll()
    .execute();
}

/** Returns all users that are copies of entries in the users' file. */
export function listUsersFromFile(db: Db): Promise<UserRow[]> {
  // A literal, because the index has only these users.
  const isFromFile = sql.lit(1);
  return inline(db)
    .selectFrom('user_account')
    .where('is_from_file', '=', isFromFile)
    .selectAll()
    .execute();
}

/** Makes the copies of the users' file users of the database. */
export async function adoptUsers(db: Db): Promise<void> {
  if ((await listUsersFromFile(db)).length === 0) return;
  const copies = db.updateTable('user_account').where('is_from_file', '=', 1);
  await copies.set({ is_from_file: 0 }).execute();
}

/** Changes a user and returns its row; undefined if it does not exist. */
export function updateUser(db: Db, id: number, columns: UserColumns): Promise<UserRow | undefined> {
  return db
    .updateTable('user_account')
    .set(columns)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst();
}

/** Deletes users, and with them their sessions. */
export async function deleteUsers(db: Db, ids: readonly number[]): Promise<void> {
  await db
    .deleteFrom('user_account')
    .where(isAnyOf(db, 'id', ids))
    .execute();
}

/** Makes other processes that copy the users' file wait until the transaction ends. */
export function lockUsersFile(db: Db): Promise<void> {
  return lockText(db, 'users-file');
}

function filtered(db: Db, { createdBy }: UserFilter) {
  const query = db.selectFrom('user_account');
  return createdBy === null ? query : query.where('created_by', '=', createdBy);
}
