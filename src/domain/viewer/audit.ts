import type { NewAuditRow } from '../../store/table.ts';
import { insertAudit } from '../../store/viewer/audit.ts';
import type { Context } from '../context.ts';
import { type Role, SYSTEM } from './viewer.ts';

/** The actions that the log knows, with their descriptions for clients. */
export const AUDIT_ACTIONS = {
  create: 'Something was created: for a media item also by an upload or an import.',
  update:
    'Properties changed. `details.changed` names them; `details.name` and `details.role` have their old and new values.',
  change_visibility: 'The visibility changed, from `details.from` to `details.to`.',
  add_file: 'Files were added to a media item. `details.keys` are their keys.',
  replace: 'The original file of a media item was replaced. `details` has both file names.',
  restore_version:
    'A version became the original file of its media item again. `details` has both file names.',
  move: 'A node was moved. `details.from` and `details.to` are the database ids of the folders.',
  tag: 'Tags of a media item were changed. `details` has their database ids.',
  delete:
    'Something was deleted: a node goes into the trash, unless `details.permanently` is true. `details.nodes` is the number of nodes of a large folder.',
  restore:
    'A node was restored from the trash. Of a large folder, only the folder itself has an entry.',
  purge:
    'A node in the trash was deleted for ever, with what was deleted together with it below it.',
  archive:
    'A URL was created that downloads media as an archive, with which anyone may read them for a time. `details.files` is their number, and `details.ids` the database ids of selected nodes. The target is the folder, if one was given.',
  start: 'A job was started.',
  signal: 'A job received the signal `details.signal`.',
  revoke: 'An API key was revoked.',
  change_password: 'The password of a user was changed.',
  sign_in: 'A session began.',
  sign_in_failed:
    'A wrong name or password was given. The target is known only if the user exists.',
  sign_out: 'A session was ended by its user.',
} as const;

/** An action that the log records. */
export type AuditAction = keyof typeof AUDIT_ACTIONS;

/** The kinds of things that entries are about. */
export type AuditTargetKind = 'media' | 'folder' | 'tag' | 'job' | 'api_key' | 'user';

/** The thing that an entry is about, as it was then. */
export interface AuditTarget {
  kind: AuditTargetKind;
  /** Null: unknown, or the admin key, which has no row. */
  id: number | null;
  name: string | null;
}

/** Who did something. `cli`: the operator, by a command; `server`: the server itself, by a background job. */
export interface AuditActor {
  kind: 'anonymous' | 'user' | 'key' | 'server' | 'cli';
  /** `Viewer.id`. Null for an anonymous viewer, the operator and the server. */
  id: string | null;
  /** The role at that time. Null for an anonymous viewer. */
  role: Role | null;
}

/** An entry to be recorded. */
export interface NewAuditEntry {
  action: AuditAction;
  target: AuditTarget;
  /** Facts about the action, as JSON. Never a secret, a key, a URL or a text that a client may consider private. */
  details?: object | undefined;
}

/** The parts of a context that say who acts, and when. */
export type Acting = Pick<Context, 'db' | 'clock' | 'settings' | 'viewer' | 'isOperator'>;

/**
 * Records what the viewer does, by one insertion. Every operation that changes something calls it in its transaction, so
 * that there is no change without an entry, and no entry without a change. Call it before the last statement: on SQLite
 * the insertion travels with the next one. Does nothing with `TRIVIUM_AUDIT_DAYS=0`.
 */
export async function recordAudit(
  ctx: Acting,
  ...entries: readonly NewAuditEntry[]
): Promise<void> {
  if (ctx.settings.auditDays === 0) return;
  await insertAudit(
    ctx.db,
    entries.map((entry) => ({ ...toRow(ctx, entry), target_id: entry.target.id })),
  );
}

/**
 * Returns the row of an entry about a thing that is inserted together with it, and whose id is not known yet; null if
 * nothing is recorded.
 */
export function newRowEntry(
  ctx: Acting,
  entry: NewAuditEntry & { target: { id: null } },
): ReturnType<typeof toRow> | null {
  return ctx.settings.auditDays === 0 ? null : toRow(ctx, entry);
}

function toRow(ctx: Acting, { action, target, details = {} }: NewAuditEntry) {
  const { kind, id, role } = actorOf(ctx);
  return {
    at: ctx.clock(),
    actor_kind: kind,
    actor_id: id,
    actor_role: role,
    action,
    target_kind: target.kind,
    target_name: target.name,
    details: JSON.stringify(details),
  } satisfies Omit<NewAuditRow, 'target_id'>;
}

function actorOf({ viewer, isOperator = false }: Acting): AuditActor {
  if (viewer.kind === 'anonymous') return { kind: 'anonymous', id: null, role: null };
  const { kind, id, role } = viewer;
  return id === SYSTEM.id
    ? { kind: isOperator ? 'cli' : 'server', id: null, role }
    : { kind, id, role };
}

/** Fields whose values the details of a change contain. Others may be long, or private. */
const TOLD: readonly string[] = ['name', 'role'];

/**
 * Returns the details of a change of columns: the names of the fields that differ, and both values of a name and a role.
 * Returns null if none differs.
 */
export function changeDetails<Columns extends object>(
  before: Columns,
  changes: { [Column in keyof Columns]?: unknown },
): object | null {
  const columns = Object.keys(changes) as (keyof Columns & string)[];
  const differing = columns.filter(
    (column) => changes[column] !== undefined && changes[column] !== before[column],
  );
  if (differing.length === 0) return null;
  const told = differing
    .filter((column) => TOLD.includes(column))
    .map((column) => [column, { from: before[column], to: changes[column] }]);
  return { changed: differing.map(toCamelCase), ...Object.fromEntries(told) };
}

function toCamelCase(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
