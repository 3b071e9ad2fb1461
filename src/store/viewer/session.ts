import type { Db } from '../db.ts';
import { prepared } from '../prepared.ts';
import type { NewSessionRow } from '../table.ts';

/** A session. */
export interface FoundSession {
  id: number;
  expires_at: number;
  /** Null: the session has the rights of the admin key. */
  user: SessionUser | null;
}

/** The rights that the user of a session has now. */
export interface SessionUser {
  name: string;
  role: string;
  start_nodes: string | null;
}

interface SessionAndUser extends Pick<FoundSession, 'id' | 'expires_at'> {
  name: string | null;
  role: string | null;
  start_nodes: string | null;
}

/** Inserts a session. */
export async function insertSession(db: Db, session: NewSessionRow): Promise<void> {
  await db.insertInto('session').values(session).execute();
}

const bySha256 = prepared<{ tokenSha256: string }, SessionAndUser>({
  isLookup: true,
  keyOf: () => '',
  lookupsOf: () => 2,
  build: (db, _args, slot) =>
    withUser(db).where(
      'token_sha256',
      '=',
      slot(({ tokenSha256 }) => tokenSha256),
    ),
});

/** Returns the session by the lower-case hex digest of its token, also if it has expired. */
export async function findSession(db: Db, tokenSha256: string): Promise<FoundSession | undefined> {
  const [row] = await bySha256(db, { tokenSha256 });
  return row && toFound(row);
}

/** Returns the session with this id, also if it has expired. */
export async function findSessionById(db: Db, id: number): Promise<FoundSession | undefined> {
  const row = await withUser(db).where('session.id', '=', id).executeTakeFirst();
  return row && toFound(row);
}

function withUser(db: Db) {
  return db
    .selectFrom('session')
    .leftJoin('user_account', 'user_account.id', 'session.user_id')
    .select(['session.id', 'session.expires_at', 'name', 'role', 'start_nodes']);
}

function toFound({ id, expires_at, name, role, start_nodes }: SessionAndUser): FoundSession {
  const user = name === null || role === null ? null : { name, role, start_nodes };
  return { id, expires_at, user };
}

/** Deletes a session. Returns the id of its user, null for one of the admin key; undefined if it does not exist. */
export async function deleteSession(db: Db, id: number): Promise<number | null | undefined> {
  const deleted = db.deleteFrom('session').where('id', '=', id).returning('user_id');
  return (await deleted.executeTakeFirst())?.user_id;
}

/** Deletes all sessions of a user. */
export async function deleteSessionsOfUser(db: Db, userId: number): Promise<void> {
  await db.deleteFrom('session').where('user_id', '=', userId).execute();
}

/** Deletes the sessions that expired before a time, in milliseconds since 1970. */
export async function deleteSessionsBefore(db: Db, time: number): Promise<void> {
  await db.deleteFrom('session').where('expires_at', '<=', time).execute();
}
