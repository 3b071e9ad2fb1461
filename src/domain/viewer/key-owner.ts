import type { Db } from '../../store/db.ts';
import { lockRow } from '../../store/dialect.ts';
import type { UserRow } from '../../store/table.ts';
import { findKeyByUuid, listKeysCreatedBy, revokeKeysCreatedBy } from '../../store/viewer/key.ts';
import { findUserByName } from '../../store/viewer/user.ts';
import type { Context, Services } from '../context.ts';
import { NotAuthenticatedError } from '../error.ts';
import {
  ADMIN,
  isUserId,
  keyId,
  keyUuid,
  ROLES,
  type Role,
  SYSTEM,
  userName,
  type Viewer,
} from './viewer.ts';

/*
 * A key must not outlive the rights of the user who created it: a former admin could have kept one. A key that an admin
 * replaces by another one does not take its successor with it, so that keys can be exchanged.
 */

/**
 * Revokes the keys that these viewers have created, those that were created with one of those keys, and so on. Returns
 * their number. Call it in the transaction that takes rights from the viewers.
 */
export async function revokeKeysOf(
  { db, clock }: Pick<Services, 'db' | 'clock'>,
  viewerIds: readonly string[],
): Promise<number> {
  let count = 0;
  let creators = viewerIds;
  while (creators.length > 0) {
    count += await revokeKeysCreatedBy(db, creators, clock());
    // After the change, which waits for keys that are being created with these.
    creators = (await listKeysCreatedBy(db, creators)).map(({ uuid }) => keyId(uuid));
  }
  return count;
}

type Rights = Pick<UserRow, 'role' | 'start_nodes'>;

/** Tells whether a change of a user takes rights from it: a lower role, or other start nodes. */
export function losesRights(before: Rights, after: Rights): boolean {
  const rank = ({ role }: { role: string }) => ROLES.indexOf(role as Role);
  const isMoved = after.start_nodes !== null && after.start_nodes !== before.start_nodes;
  return isMoved || rank(after) < rank(before);
}

/**
 * Locks the credential of the viewer until the end of the transaction, so that a key that it creates is found by whoever
 * removes it. Throws NotAuthenticatedError if it has been removed since the request began.
 */
export async function lockCreator({ db, viewer }: Context): Promise<void> {
  const find = rowOf(db, viewer);
  if (find === null) return;
  const { table, row } = find;
  const found = await row();
  if (found !== undefined) await lockRow(db, table, found.id);
  if (found === undefined || (await row()) === undefined) {
    throw new NotAuthenticatedError('rejected');
  }
}

/** Returns the look-up of the viewer's own row; null for one that nobody can remove here. */
function rowOf(db: Db, { kind, id }: Viewer) {
  if (kind === 'anonymous' || id === ADMIN.id || id === SYSTEM.id) return null;
  if (kind === 'key') {
    return { table: 'api_key', row: () => findKeyByUuid(db, keyUuid(id)) } as const;
  }
  // A token of another issuer.
  if (!isUserId(id)) return null;
  return { table: 'user_account', row: () => findUserByName(db, userName(id)) } as const;
}
