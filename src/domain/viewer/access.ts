import type { JobSight } from '../../store/job/sight.ts';
import { EVERYTHING, isInScope, type Scope, type ScopeColumns } from '../../store/scope.ts';
import type { Context } from '../context.ts';
import { ForbiddenError, NotAuthenticatedError, NotFoundError } from '../error.ts';
import { ANONYMOUS, ROLES, type Role } from './viewer.ts';

interface Rule {
  /** The lowest role that is allowed. */
  role: Role;
  /**
   * Whether every viewer is allowed, even an anonymous one. `open`: only while `TRIVIUM_AUTH=open`, for the operations
   * that seeds/001 serves without authentication.
   */
  anyone: 'always' | 'open' | 'never';
}

/** All operations and who is allowed to do them: the one table for every dialect. */
const RULES = {
  'media.read': { role: 'reader', anyone: 'open' },
  'media.create': { role: 'editor', anyone: 'open' },
  'media.update': { role: 'editor', anyone: 'never' },
  'media.delete': { role: 'editor', anyone: 'never' },
  'archive.create': { role: 'reader', anyone: 'open' },
  'folder.update': { role: 'editor', anyone: 'never' },
  'folder.delete': { role: 'editor', anyone: 'never' },
  'folder.create': { role: 'editor', anyone: 'never' },
  'trash.read': { role: 'reader', anyone: 'never' },
  'trash.restore': { role: 'editor', anyone: 'never' },
  'trash.purge': { role: 'editor', anyone: 'never' },
  'tag.read': { role: 'reader', anyone: 'always' },
  'tag.create': { role: 'editor', anyone: 'open' },
  'tag.update': { role: 'admin', anyone: 'open' },
  'tag.delete': { role: 'admin', anyone: 'open' },
  'job.read': { role: 'reader', anyone: 'never' },
  'job.create': { role: 'editor', anyone: 'never' },
  'job.signal': { role: 'editor', anyone: 'never' },
  'job.delete': { role: 'admin', anyone: 'never' },
  'resource.read': { role: 'reader', anyone: 'never' },
  'resource.create': { role: 'editor', anyone: 'never' },
  'upload.write': { role: 'editor', anyone: 'open' },
  'key.read': { role: 'admin', anyone: 'never' },
  'key.create': { role: 'admin', anyone: 'never' },
  'key.delete': { role: 'admin', anyone: 'never' },
  'user.read': { role: 'admin', anyone: 'never' },
  'user.create': { role: 'admin', anyone: 'never' },
  'user.update': { role: 'admin', anyone: 'never' },
  'user.delete': { role: 'admin', anyone: 'never' },
  'audit.read': { role: 'admin', anyone: 'never' },
  'metrics.read': { role: 'admin', anyone: 'never' },
} satisfies Record<string, Rule>;

/** An operation that has a rule, `noun.verb`. */
export type Operation = keyof typeof RULES;

/**
 * Checks that the viewer's role allows the operation. Throws NotAuthenticatedError if a credential could help,
 * ForbiddenError if the viewer's role is too low.
 */
export function authorize(ctx: Context, operation: Operation): void {
  if (isAllowed(ctx, operation)) return;
  throw ctx.viewer.kind === 'anonymous' ? new NotAuthenticatedError() : new ForbiddenError();
}

/**
 * Checks that the viewer may apply the operation to a thing of that owner: its creator or an admin may. Only an admin
 * may change things that an anonymous viewer has created. Throws as `authorize`, and ForbiddenError if the thing
 * belongs to another viewer.
 */
export function authorizeOwner(ctx: Context, operation: Operation, owner: string | null): void {
  authorize(ctx, operation);
  if (!isAllowedForOwner(ctx, operation, owner)) throw new ForbiddenError();
}

/** Tells whether the viewer may apply the operation to a thing of that owner, as `authorizeOwner` checks. */
export function isAllowedForOwner(
  ctx: Context,
  operation: Operation,
  owner: string | null,
): boolean {
  if (!isAllowed(ctx, operation)) return false;
  return isAdmin(ctx) || (owner !== null && owner === ctx.viewer.id);
}

/**
 * Returns the thing if it exists and the viewer may apply the operation to it; pass undefined also for a thing that the
 * viewer cannot see. Throws as `authorizeOwner`, and NotFoundError. The role is checked first, so that a missing
 * credential is reported whether or not the thing exists.
 */
export function authorizeExisting<Thing extends { owner: string | null }>(
  ctx: Context,
  operation: Operation,
  thing: Thing | undefined,
  { noun, id }: { noun: string; id: number | string },
): Thing {
  authorizeOwner(ctx, operation, thing === undefined ? ctx.viewer.id : thing.owner);
  if (thing === undefined) throw new NotFoundError(noun, id);
  return thing;
}

/** Tells whether the viewer may do everything. */
export function isAdmin({ viewer }: Context): boolean {
  return viewer.kind !== 'anonymous' && viewer.role === 'admin';
}

/**
 * Returns whose media show the viewer where they were recorded: `all` that it may see, `own` ones, which it may edit, or
 * `none`. See `maySeeLocation`, and the setting `stripLocation`, which limits it to viewers who may edit.
 */
export function locationSight(ctx: Context): 'all' | 'own' | 'none' {
  if (ctx.settings.stripLocation === 'never') return maySeeLocation(ctx) ? 'all' : 'none';
  if (!isAllowed(ctx, 'media.update')) return 'none';
  return isAdmin(ctx) ? 'all' : 'own';
}

/** Tells whether the viewer may learn where a media item of that owner was recorded. The viewer may see it. */
export function maySeeLocationOf(ctx: Context, owner: string | null): boolean {
  const sight = locationSight(ctx);
  return sight === 'all' || (sight === 'own' && owner !== null && owner === ctx.viewer.id);
}

/**
 * Tells whether the viewer may learn where media were taken, by a field or by a filter: everyone with a credential may, of
 * the media that it may see, and the person at this machine. A public photo must not show strangers the way to someone's
 * home.
 */
function maySeeLocation({ viewer, settings }: Context): boolean {
  return viewer.kind !== 'anonymous' || settings.auth === 'open';
}

/** Tells whether the operation needs a credential. */
export function needsCredential(
  { settings }: Pick<Context, 'settings'>,
  operation: Operation,
): boolean {
  return !isAllowed({ settings, viewer: ANONYMOUS }, operation);
}

/** Tells whether the viewer's role allows the operation. */
export function isAllowed(
  { viewer, settings }: Pick<Context, 'viewer' | 'settings'>,
  operation: Operation,
): boolean {
  const { role, anyone }: Rule = RULES[operation];
  if (anyone === 'always' || (anyone === 'open' && settings.auth === 'open')) return true;
  return viewer.kind !== 'anonymous' && ROLES.indexOf(viewer.role) >= ROLES.indexOf(role);
}

/**
 * Returns the nodes that the viewer may see: the rule of visibility and start nodes, for every dialect. Without start
 * nodes, only admins see the private media of others; with start nodes, a viewer sees all media there, private ones too.
 * Reads are limited to these nodes, and treat any other node as missing.
 */
export function scopeOf(ctx: Context): Scope {
  const { viewer } = ctx;
  const subtrees = viewer.kind === 'anonymous' ? undefined : viewer.startNodes;
  const publicOnly = !isAllowed(ctx, 'media.read');
  const seesPrivate = publicOnly || subtrees !== undefined || isAdmin(ctx);
  return {
    publicOnly,
    hiding: seesPrivate ? null : { exceptOf: viewer.id },
    within: subtrees && viewer.id !== null ? { subtrees, owner: viewer.id } : null,
    excluding: ctx.pending.current.subtrees,
    moved: ctx.pending.current.moved,
  };
}

/**
 * Returns the scope of all existing nodes, whoever may see them. It is for the server's own work, such as jobs, checks
 * of uniqueness, and reads that an operation follows with a check of its own. A node that a job is deleting does not
 * exist.
 */
export function existing({ pending }: Pick<Context, 'pending'>): Scope {
  const { subtrees, moved } = pending.current;
  return { ...EVERYTHING, excluding: subtrees, moved };
}

/** Returns the nodes within the viewer's start nodes, public or not. */
export function reachOf(ctx: Context): Scope {
  return { ...scopeOf(ctx), publicOnly: false, hiding: null };
}

/** Returns the jobs that the viewer may see: those that it started, and those of media that it may see. */
export function jobSightOf(ctx: Context): JobSight {
  const nodes = scopeOf(ctx);
  const readsAll = isAdmin(ctx);
  if (readsAll && nodes.within === null) return null;
  return { startedBy: ctx.viewer.id ?? '', nodes, readsAll };
}

/** Tells whether the viewer may see this node. */
export function isVisible(ctx: Context, node: ScopeColumns): boolean {
  return isInScope(scopeOf(ctx), node);
}

/** Tells whether a node is a start node of the viewer, which may not move or delete its own limit. */
export function isStartNode(ctx: Context, id: number): boolean {
  return scopeOf(ctx).within?.subtrees.some((node) => node.id === id) ?? false;
}

/** Throws ForbiddenError for a start node of the viewer: it may not move or delete its own limit. */
export function refuseStartNode(ctx: Context, id: number): void {
  if (!isStartNode(ctx, id)) return;
  throw new ForbiddenError('A start node cannot be moved or deleted.');
}

/**
 * Tells whether the viewer has created a thing. What an anonymous viewer has created belongs to everybody who knows its
 * secret, such as the id of an upload session.
 */
export function isOwner({ viewer }: Context, owner: string | null): boolean {
  return viewer.id === owner;
}
