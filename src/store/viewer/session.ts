import type { Db } from '../db.ts';
import { prepared } from '../prepared.ts';
import type { NewSessionRow } from '../table.ts';

/** A session with the rights that its user has now. */
export interface SessionUser {
  id: number;
  expires_at: number;
  name: string;
  role: string;
  start_nodes: string | null;
}

/** Inserts a session. */
export async function insertSession(db: Db, session: NewSessionRow): Promise<void> {
  await db.insertInto('session').values(session).execute();
}

const bySha256 = prepared<{ tokenSha256: string }, SessionUser>({
  keyOf: () => '',
  lookupsOf: () => 2,
  build: (db, _args, slot) =>
    db
      .selectFrom('session')
      .innerJoin('user_account', 'user_account.id', 'session.user_id')
      .where(
        'token_sha256',
        '=',
        slot(({ tokenSha256 }) => tokenSha256),
      )
      .select(['session.id', 'session.expires_at', 'name', 'role', 'start_nodes']),
});

/** Returns the session by the lower-case hex digest of its token, also if it has expired. */
export async function findSession(db: Db, tokenSha256: string): Promise<SessionUser | undefined> {
  return (await bySha256(db, { tokenSha256 }))[0];
}

/** Deletes a session. */
export async function deleteSession(db: Db, id: number): Promise<void> {
  await db.deleteFrom('session').where('id', '=', id).execute();
}

/** Deletes all sessions of a user. */
export async function deleteSessionsOfUser(db: Db, userId: number): Promise<void> {
  await db.deleteFrom('session').where('user_id', '=', userId).execute();
}

/** Deletes the sessions that expired before a time, in milliseconds since 1970. */
export async function deleteSessionsBefore(db: Db, time: number): Promise<void> {
  await db.deleteFrom('session').where('expires_at', '<=', time).execute();
}
