import { isInScope } from '../../store/scope.ts';
import { listNodesByIds } from '../../store/tree/node.ts';
import type { Context } from '../context.ts';
import { ForbiddenError, NotFoundError } from '../error.ts';
import { existing, reachOf } from './access.ts';
import { findStartNodes } from './start-node.ts';
import { ANONYMOUS, ROLES, type Role } from './viewer.ts';

/** What a viewer gives to a key or a user. */
export interface Grant {
  role: Role;
  /** Database ids. Null or absent: the start nodes of the viewer itself, or the whole tree if it has none. */
  startNodeIds?: readonly number[] | null | undefined;
  /** As `startNodeIds`, for the operator: uuids, or paths of folders. */
  startNodes?: readonly string[] | null | undefined;
}

/** The columns that store a grant. */
export interface GrantColumns {
  role: Role;
  start_nodes: string | null;
}

/**
 * Returns the columns of a grant. Nobody gives more than they have: throws ForbiddenError for a role above the viewer's
 * own, and NotFoundError for a node outside of its start nodes, which it cannot see.
 */
export async function toGrantColumns(ctx: Context, grant: Grant): Promise<GrantColumns> {
  checkRole(ctx, grant.role);
  const uuids = await startNodesOf(ctx, grant);
  return { role: grant.role, start_nodes: uuids && JSON.stringify(uuids) };
}

/** Throws ForbiddenError for a role above the viewer's own. */
export function checkRole({ viewer }: Context, role: Role): void {
  const own = viewer.kind === ANONYMOUS.kind ? -1 : ROLES.indexOf(viewer.role);
  if (ROLES.indexOf(role) <= own) return;
  throw new ForbiddenError(`You cannot give the role ${role}, which is above your own.`);
}

/**
 * Returns the viewer whose keys and users a viewer may see and change: those that it has created itself, if it has
 * start nodes. Null: all, of anyone.
 */
export function managedBy({ viewer }: Context): string | null {
  return viewer.kind === 'anonymous' || viewer.startNodes !== undefined ? (viewer.id ?? '') : null;
}

async function startNodesOf(
  ctx: Context,
  { startNodeIds, startNodes }: Grant,
): Promise<string[] | null> {
  if (startNodes) return findStartNodes(ctx, startNodes);
  if (startNodeIds) return uuidsOf(ctx, startNodeIds);
  const { viewer } = ctx;
  if (viewer.kind === 'anonymous' || viewer.startNodes === undefined) return null;
  return uuidsOf(
    ctx,
    viewer.startNodes.map(({ id }) => id),
  );
}

async function uuidsOf(ctx: Context, ids: readonly number[]): Promise<string[]> {
  const scope = reachOf(ctx);
  const rows = await listNodesByIds(ctx.db, existing(ctx), ids);
  const uuids = new Map(
    rows.filter((row) => isInScope(scope, row)).map(({ id, uuid }) => [id, uuid]),
  );
  return ids.map((id) => {
    const uuid = uuids.get(id);
    if (uuid === undefined) throw new NotFoundError('node', id);
    return uuid;
  });
}
