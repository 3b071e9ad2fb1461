import { listMediasByIds } from '../../store/tree/media.ts';
import { countAuditOfMedias } from '../../store/viewer/audit.ts';
import type { Context } from '../context.ts';
import type { Page, PageArgs } from '../page.ts';
import { isAdmin, isAllowed, isOwner, scopeOf } from '../viewer/access.ts';
import { type AuditEntry, auditOfMedias } from '../viewer/audit-log.ts';

/**
 * Returns one page of the history of each media item that the viewer may change, newest first. The others are not in the
 * map. The caller has checked that the viewer may see them. Throws InvalidInputError.
 */
export async function historyOfEach(
  ctx: Context,
  mediaIds: readonly number[],
  args: PageArgs,
): Promise<Map<number, Page<AuditEntry>>> {
  return auditOfMedias(ctx, await changeableAmong(ctx, mediaIds), args);
}

/** Returns the number of entries in the history of each media item that the viewer may change. */
export async function countHistoryOfEach(
  ctx: Context,
  mediaIds: readonly number[],
): Promise<Map<number, number>> {
  return countAuditOfMedias(ctx.db, await changeableAmong(ctx, mediaIds));
}

async function changeableAmong(ctx: Context, ids: readonly number[]): Promise<readonly number[]> {
  if (isAdmin(ctx)) return ids;
  if (ctx.viewer.id === null || !isAllowed(ctx, 'media.update')) return [];
  const medias = await listMediasByIds(ctx.db, scopeOf(ctx), ids, ['id', 'owner']);
  return medias.filter(({ owner }) => isOwner(ctx, owner ?? null)).flatMap(({ id }) => id ?? []);
}
