import type { Context } from '../context.ts';
import { ForbiddenError, NotAuthenticatedError } from '../error.ts';
import { ANONYMOUS, type Placed, ROLES, type Role, type StartNode } from './viewer.ts';

interface Rule {
  /** The least role that may. */
  role: Role;
  /**
   * Whether any viewer may, an anonymous one too: `open` means while `TRIVIUM_AUTH=open`, which is what
   * seeds/001 serves without authentication.
   */
  anyone: 'always' | 'open' | 'never';
}

/** Everything that can be done, and who may: the one table of every road. */
const RULES = {
  'media.read': { role: 'reader', anyone: 'open' },
  'media.create': { role: 'editor', anyone: 'open' },
  'media.update': { role: 'editor', anyone: 'never' },
  'media.delete': { role: 'editor', anyone: 'never' },
  'folder.update': { role: 'editor', anyone: 'never' },
  'folder.delete': { role: 'editor', anyone: 'never' },
  'folder.create': { role: 'editor', anyone: 'never' },
  'tag.read': { role: 'reader', anyone: 'always' },
  'tag.create': { role: 'admin', anyone: 'open' },
  'tag.update': { role: 'admin', anyone: 'open' },
  'tag.delete': { role: 'admin', anyone: 'open' },
  'job.read': { role: 'reader', anyone: 'never' },
  'job.create': { role: 'editor', anyone: 'never' },
  'job.signal': { role: 'editor', anyone: 'never' },
  'job.delete': { role: 'admin', anyone: 'never' },
  'resource.read': { role: 'reader', anyone: 'never' },
  'resource.create': { role: 'editor', anyone: 'never' },
  'upload.write': { role: 'editor', anyone: 'open' },
} satisfies Record<string, Rule>;

/** What a rule is about, `noun.verb`. */
export type Operation = keyof typeof RULES;

/**
 * Returns if the viewer may do this at all. Throws NotAuthenticatedError if a credential could help,
 * ForbiddenError if the viewer's role is too low.
 */
export function authorize(ctx: Context, operation: Operation): void {
  if (isAllowed(ctx, operation)) return;
  throw ctx.viewer.kind === 'anonymous' ? new NotAuthenticatedError() : new ForbiddenError();
}

/**
 * Returns if the viewer may do this to a thing of that owner: its creator or an admin. What an anonymous
 * viewer made is an admin's only. Throws as `authorize`, and ForbiddenError for what is another's.
 */
export function authorizeOwner(ctx: Context, operation: Operation, owner: string | null): void {
  authorize(ctx, operation);
  if (!isAdmin(ctx) && (owner === null || owner !== ctx.viewer.id)) throw new ForbiddenError();
}

/** Whether the viewer may do everything. */
export function isAdmin({ viewer }: Context): boolean {
  return viewer.kind !== 'anonymous' && viewer.role === 'admin';
}

/** Whether a viewer without a credential is asked for one. */
export function needsCredential(
  { settings }: Pick<Context, 'settings'>,
  operation: Operation,
): boolean {
  return !isAllowed({ settings, viewer: ANONYMOUS }, operation);
}

function isAllowed(
  { viewer, settings }: Pick<Context, 'viewer' | 'settings'>,
  operation: Operation,
): boolean {
  const { role, anyone }: Rule = RULES[operation];
  if (anyone === 'always' || (anyone === 'open' && settings.auth === 'open')) return true;
  return viewer.kind !== 'anonymous' && ROLES.indexOf(viewer.role) >= ROLES.indexOf(role);
}

/** What of the tree a viewer may see: all that is given must hold. */
export interface Sight {
  /** Only what is marked as public. */
  publicOnly: boolean;
  /** Only these branches, and what the viewer has made that is in no folder. */
  within: { branches: readonly StartNode[]; owner: string } | undefined;
}

/**
 * What of the tree the viewer may see. Reads narrow to it and never fail: what may not be seen is not there.
 */
export function sightOf(ctx: Context): Sight {
  const { viewer } = ctx;
  const branches = viewer.kind === 'anonymous' ? undefined : viewer.startNodes;
  return {
    publicOnly: !isAllowed(ctx, 'media.read'),
    within: branches && viewer.id !== null ? { branches, owner: viewer.id } : undefined,
  };
}

/** Whether the viewer may see this node. */
export function isVisible(ctx: Context, node: Placed): boolean {
  const { publicOnly } = sightOf(ctx);
  return (node.is_public === 1 || !publicOnly) && isWithin(ctx, node);
}

/** Whether the viewer's start nodes let it come to this node. */
export function isWithin(ctx: Context, node: Omit<Placed, 'is_public'>): boolean {
  const { within } = sightOf(ctx);
  if (within === undefined) return true;
  // By its id, which a start node keeps when it is moved: `below` is as old as the credential's check.
  const isIn = ({ id }: StartNode) => node.id === id || node.path.includes(`/${id}/`);
  return node.parent_id === null ? node.owner === within.owner : within.branches.some(isIn);
}

/**
 * Throws ForbiddenError for a start node of the viewer's: it is the limit, which who is behind it can
 * neither move nor remove.
 */
export function refuseStartNode(ctx: Context, id: number): void {
  if (!sightOf(ctx).within?.branches.some((node) => node.id === id)) return;
  throw new ForbiddenError('A start node stays where it is.');
}

/**
 * Whether the viewer is who made a thing. What an anonymous viewer made belongs to whoever knows its
 * secret: an upload's id.
 */
export function isOwner({ viewer }: Context, owner: string | null): boolean {
  return viewer.id === owner;
}
