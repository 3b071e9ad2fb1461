import { z } from 'zod';
import { cleanName } from '../../lib/name.ts';
import { withoutUndefined } from '../../lib/without-undefined.ts';
import { keysetBy } from '../../store/cursor.ts';
import { isUniqueViolation } from '../../store/error.ts';
import type { UserRow } from '../../store/table.ts';
import { deleteSessionsOfUser } from '../../store/viewer/session.ts';
import * as store from '../../store/viewer/user.ts';
import { type Context, transact } from '../context.ts';
import { ForbiddenError, NotFoundError } from '../error.ts';
import { freeText, parseInput } from '../input.ts';
import { type Page, type PageArgs, parsePageArgs, toPage } from '../page.ts';
import { authorize, isAllowed } from './access.ts';
import { type AuditTarget, changeDetails, type NewAuditEntry, recordAudit } from './audit.ts';
import { checkRole, managedBy, toGrantColumns } from './grant.ts';
import { losesRights, revokeKeysOf } from './key-owner.ts';
import { hashPassword } from './password.ts';
import { parseUuids } from './start-node.ts';
import { nameTaken, newPassword, newUserName } from './user-entry.ts';
import { ROLES, type Role, SYSTEM, userId } from './viewer.ts';

/** A user who logs in with a password, without the password. */
export interface User {
  id: number;
  /** `Viewer.id` of its requests. */
  viewerId: string;
  name: string;
  role: Role;
  /** Uuids of the start nodes. Null: the whole tree. */
  startNodes: readonly string[] | null;
  /** Whether the users' file holds it: then only the file can change it. */
  isFromFile: boolean;
  createdBy: string | null;
  createdAt: Date;
  updatedAt: Date;
}

const startNodeFields = {
  startNodeIds: z.array(z.int()).min(1).max(100).nullish(),
  /** Uuids, or paths of folders. */
  startNodes: z.array(freeText(10_000)).min(1).max(100).nullish(),
};

const createInput = z.object({
  name: newUserName,
  role: z.enum(ROLES),
  password: newPassword,
  ...startNodeFields,
});

/**
 * Creates a user. Nobody creates a user who is stronger than they are: throws as `toGrantColumns`. Throws
 * InvalidInputError, TAKEN if there is a user of this name.
 */
export async function createUser(ctx: Context, input: z.input<typeof createInput>): Promise<User> {
  authorize(ctx, 'user.create');
  const { name, role, password, ...startNodes } = parseInput(createInput, input);
  const grant = await toGrantColumns(ctx, { role, ...startNodes });
  const now = ctx.clock();
  const row = {
    ...grant,
    name,
    password: await hashPassword(password),
    created_by: ctx.viewer.id === SYSTEM.id ? null : ctx.viewer.id,
    created_at: now,
    updated_at: now,
  };
  try {
    return await transact(ctx, async (ctx) => {
      const inserted = await store.insertUser(ctx.db, row);
      await recordAudit(ctx, { action: 'create', target: userTarget(inserted), details: { role } });
      return toUser(inserted);
    });
  } catch (error) {
    throw isUniqueViolation(error) ? nameTaken(name) : error;
  }
}

const updateInput = z.object({
  role: z.enum(ROLES).optional(),
  password: newPassword.optional(),
  ...startNodeFields,
});

/**
 * Changes a user. Its requests have the new role and the new start nodes at once; a new password ends its sessions, and
 * fewer rights revoke the keys that it has created. Null for start nodes stands for those of the viewer, or the whole tree. Throws as `createUser`, NotFoundError, and
 * ForbiddenError for a user of the users' file.
 */
export async function updateUser(
  ctx: Context,
  id: number,
  input: z.input<typeof updateInput>,
): Promise<User> {
  authorize(ctx, 'user.update');
  const { role, password, ...startNodes } = parseInput(updateInput, input);
  const found = await findManaged(ctx, id);
  const areGiven = startNodes.startNodeIds !== undefined || startNodes.startNodes !== undefined;
  const newRole = role ?? (found.role as Role);
  const grant = areGiven ? await toGrantColumns(ctx, { role: newRole, ...startNodes }) : { role };
  checkRole(ctx, newRole);
  const hash = password === undefined ? undefined : await hashPassword(password);
  return changeUser(ctx, found, { ...grant, password: hash });
}

/**
 * Changes columns of a user. With a new password, ends its sessions; with fewer rights, revokes the keys that it has
 * created. Throws NotFoundError.
 */
export function changeUser(
  ctx: Context,
  before: UserRow,
  columns: { role?: Role | undefined; start_nodes?: string | null; password?: string | undefined },
): Promise<User> {
  return transact(ctx, async (ctx) => {
    const { id, name } = before;
    const changes = withoutUndefined(columns);
    const row = await store.updateUser(ctx.db, id, { ...changes, updated_at: ctx.clock() });
    if (row === undefined) throw new NotFoundError('user', id);
    await recordAudit(ctx, ...changeEntries(before, changes));
    if (columns.password !== undefined) await deleteSessionsOfUser(ctx.db, id);
    const revokedKeys = losesRights(before, row) ? await revokeKeysOf(ctx, [userId(name)]) : 0;
    ctx.log.info(
      { user: name, viewer: ctx.viewer.id, changed: Object.keys(changes), revokedKeys },
      'changed a user',
    );
    return toUser(row);
  });
}

function changeEntries(
  before: UserRow,
  { password, ...changes }: Partial<UserRow>,
): NewAuditEntry[] {
  const target = userTarget(before);
  const details = changeDetails(before, changes);
  return [
    ...(details === null ? [] : [{ action: 'update', target, details } as const]),
    ...(password === undefined ? [] : [{ action: 'change_password', target } as const]),
  ];
}

/** Returns a user as the target of an entry in the audit log. */
export function userTarget({ id, name }: Pick<UserRow, 'id' | 'name'>): AuditTarget {
  return { kind: 'user', id, name };
}

/**
 * Deletes a user, which ends its sessions, and revokes the keys that it has created. Its media stay. Returns the number
 * of those keys. Throws as `updateUser`.
 */
export async function deleteUser(ctx: Context, id: number): Promise<number> {
  authorize(ctx, 'user.delete');
  return transact(ctx, async (ctx) => {
    const found = await findManaged(ctx, id);
    const { name } = found;
    await recordAudit(ctx, { action: 'delete', target: userTarget(found) });
    await store.deleteUsers(ctx.db, [id]);
    const revokedKeys = await revokeKeysOf(ctx, [userId(name)]);
    ctx.log.info({ user: name, viewer: ctx.viewer.id, revokedKeys }, 'deleted a user');
    return revokedKeys;
  });
}

/** Throws ForbiddenError for a user of the users' file. */
export function refuseFromFile({ is_from_file }: Pick<UserRow, 'is_from_file'>): void {
  if (is_from_file === 0) return;
  throw new ForbiddenError('This user is in the users’ file: change the file instead.');
}

/** Returns a user that the viewer may change. */
async function findManaged(ctx: Context, id: number): Promise<UserRow> {
  const [found] = await store.listUsersByIds(ctx.db, { createdBy: managedBy(ctx) }, [id]);
  if (found === undefined) throw new NotFoundError('user', id);
  refuseFromFile(found);
  checkRole(ctx, found.role as Role);
  return found;
}

const KEYSET = keysetBy('users', { name: 'name', type: 'string' });

/**
 * Returns a page of the users by name. A viewer with start nodes sees those that it has created. Throws
 * NotAuthenticatedError, ForbiddenError, InvalidInputError.
 */
export async function listUsers(ctx: Context, args: PageArgs): Promise<Page<User>> {
  authorize(ctx, 'user.read');
  const request = parsePageArgs(args, KEYSET);
  const rows = await store.listUsers(ctx.db, { createdBy: managedBy(ctx) }, KEYSET, request);
  return toPage(rows, KEYSET, request, toUser);
}

/** Returns the number of users that `listUsers` shows. */
export async function countUsers(ctx: Context): Promise<number> {
  authorize(ctx, 'user.read');
  return store.countUsers(ctx.db, { createdBy: managedBy(ctx) });
}

/** Returns the users with these ids that the viewer may see, unordered. */
export async function usersByIds(ctx: Context, ids: readonly number[]): Promise<User[]> {
  if (!isAllowed(ctx, 'user.read')) return [];
  return (await store.listUsersByIds(ctx.db, { createdBy: managedBy(ctx) }, ids)).map(toUser);
}

/** Returns the user of a name, or null. Throws as `listUsers`. */
export async function findUserByName(ctx: Context, name: string): Promise<User | null> {
  authorize(ctx, 'user.read');
  const row = await store.findUserByName(ctx.db, cleanName(name));
  return row === undefined ? null : toUser(row);
}

function toUser(row: UserRow): User {
  return {
    id: row.id,
    viewerId: userId(row.name),
    name: row.name,
    role: row.role as Role,
    startNodes: row.start_nodes === null ? null : parseUuids(row.start_nodes),
    isFromFile: row.is_from_file === 1,
    createdBy: row.created_by,
    createdAt: new Date(row.created_at),
    updatedAt: new Date(row.updated_at),
  };
}
