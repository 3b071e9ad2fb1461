import { keysetBy } from '../../store/cursor.ts';
import type { AuditRow } from '../../store/table.ts';
import * as store from '../../store/viewer/audit.ts';
import type { Context, Services } from '../context.ts';
import { type Page, type PageArgs, parsePageArgs, toPage, toPages } from '../page.ts';
import { authorize, isAllowed } from './access.ts';
import type { AuditAction, AuditActor, AuditTarget, AuditTargetKind } from './audit.ts';
import { managedBy } from './grant.ts';
import { keyNames } from './key.ts';
import { isUserId, type Role, userId } from './viewer.ts';

/** An entry of the log: who did what to which thing, and when. */
export interface AuditEntry {
  id: number;
  at: Date;
  actor: AuditActor;
  action: AuditAction;
  target: AuditTarget;
  details: unknown;
}

/** Filter of the log. An entry must match every field that is set. */
export interface AuditFilter {
  /** `Viewer.id` of the actor. */
  actorId?: string | undefined;
  action?: AuditAction | undefined;
  target?: { kind: AuditTargetKind; id: number } | undefined;
  /** Range of times, both ends included. */
  at?: { from?: Date | undefined; to?: Date | undefined } | undefined;
}

const KEYSET = keysetBy('audit entries', { name: 'at', type: 'number' }, true);

/**
 * Returns a page of the log, newest first. A viewer with start nodes sees its own actions. Throws
 * NotAuthenticatedError, ForbiddenError, InvalidInputError.
 */
export async function listAudit(
  ctx: Context,
  args: PageArgs,
  filter: AuditFilter = {},
): Promise<Page<AuditEntry>> {
  authorize(ctx, 'audit.read');
  const request = parsePageArgs(args, KEYSET);
  const rows = await store.listAudit(ctx.db, toStored(ctx, filter), KEYSET, request);
  return toPage(rows, KEYSET, request, toEntry);
}

/** Returns the number of entries that `listAudit` shows. */
export async function countAudit(ctx: Context, filter: AuditFilter = {}): Promise<number> {
  authorize(ctx, 'audit.read');
  return store.countAudit(ctx.db, toStored(ctx, filter));
}

function toStored(ctx: Context, { at, ...filter }: AuditFilter): store.AuditFilter[] {
  const own = managedBy(ctx);
  const wanted = { ...filter, from: at?.from?.getTime(), to: at?.to?.getTime() };
  return own === null ? [wanted] : [wanted, { actorId: own }];
}

/**
 * Returns one page of the entries about each media item, newest first, in one statement. The caller has checked that the
 * viewer may see them. Throws InvalidInputError.
 */
export async function auditOfMedias(
  ctx: Context,
  mediaIds: readonly number[],
  args: PageArgs,
): Promise<Map<number, Page<AuditEntry>>> {
  const request = parsePageArgs(args, KEYSET);
  if (mediaIds.length === 0) return new Map();
  const pages = await store.listAuditOfMedias(ctx.db, mediaIds, KEYSET, request);
  return toPages(pages, KEYSET, request, toEntry);
}

const DAY_MS = 24 * 3_600_000;

/** Number of entries that one statement deletes. */
const BATCH_SIZE = 500;

/** Deletes the entries whose retention is over, in small transactions. Returns their number. */
export async function forgetAudit({ db, clock, settings }: Services): Promise<number> {
  const before = clock() - settings.auditDays * DAY_MS;
  let count = 0;
  let deleted: number;
  do {
    deleted = await store.deleteAuditBefore(db, { before, limit: BATCH_SIZE });
    count += deleted;
  } while (deleted === BATCH_SIZE);
  return count;
}

/**
 * Returns the names of actors by `Viewer.id`: those of the users of this server, and those of API keys if the viewer may
 * list keys. Others have none.
 */
export async function actorNames(
  ctx: Context,
  ids: readonly string[],
): Promise<Map<string, string>> {
  const users = ids.filter(isUserId).map((id) => [id, id.slice(userId('').length)] as const);
  const isNamed = isAllowed(ctx, 'key.read') && managedBy(ctx) === null;
  const keys = isNamed ? await keyNames(ctx, ids) : [];
  return new Map([...users, ...keys]);
}

function toEntry(row: AuditRow): AuditEntry {
  return {
    id: row.id,
    at: new Date(row.at),
    actor: {
      kind: row.actor_kind as AuditActor['kind'],
      id: row.actor_id,
      role: row.actor_role as Role | null,
    },
    action: row.action as AuditAction,
    target: { kind: row.target_kind as AuditTargetKind, id: row.target_id, name: row.target_name },
    details: JSON.parse(row.details),
  };
}
