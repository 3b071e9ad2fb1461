import { z } from 'zod';
import { VISIBILITY } from '../../store/scope.ts';
import type { NodeColumns, NodeRow } from '../../store/table.ts';
import { insertMediaTags, lockTags } from '../../store/tag/tag.ts';
import { listMediasByIds } from '../../store/tree/media.ts';
import { updateMetadata } from '../../store/tree/metadata.ts';
import { lockNodes, updateNodes } from '../../store/tree/node.ts';
import { type Context, transact } from '../context.ts';
import { mediaUpdate } from '../event/event.ts';
import { idList, parseInput } from '../input.ts';
import { forOne } from '../one-of-many.ts';
import { checkTags } from '../tag/tag.ts';
import { changeAddresses } from '../tree/address.ts';
import { type Media, mediaInput, toMedia } from '../tree/media.ts';
import { changedColumns, changeEntries } from '../tree/media-change.ts';
import { authorize, authorizeExisting, scopeOf } from '../viewer/access.ts';
import { recordAudit } from '../viewer/audit.ts';
import { tagEntries } from './tagging.ts';

/** Input of `updateMedias`. */
export const bulkInput = mediaInput.omit({ sortOrder: true, imageUrl: true }).extend({
  ids: z
    .array(z.int().positive())
    .min(1, 'Expected at least one id.')
    .max(200, 'At most 200 ids.')
    .transform((ids) => [...new Set(ids)]),
  tagIds: idList.nullish(),
});

/**
 * Changes the given fields of many media, as `updateMedia` does, and adds tags to them: all or nothing. The error is that
 * of the first media item that cannot be changed, and names it. Needs the creator of all or an admin. Returns the media
 * in the order of the ids. Throws NotFoundError, ForbiddenError, InvalidInputError.
 */
export async function updateMedias(
  ctx: Context,
  input: z.input<typeof bulkInput>,
): Promise<Media[]> {
  authorize(ctx, 'media.update');
  const { ids, tagIds, ...change } = parseInput(bulkInput, input);
  return transact(ctx, async (ctx) => {
    // Without the locks one could be deleted, or changed by another request, between the lines below.
    await lockTags(ctx.db, tagIds ?? []);
    await lockNodes(ctx.db, ids);
    const rows = await findOwn(ctx, ids);
    await checkTags(ctx, tagIds ?? []);
    const changes = new Map(
      rows.map((row) => [row, forOne({ id: row.id }, () => changedColumns(row, change))]),
    );
    const entries = [...changes].flatMap(([row, columns]) => changeEntries(row, columns));
    const isTagging = tagIds !== null && tagIds !== undefined && tagIds.length > 0;
    if (isTagging) entries.push(...tagEntries(rows, { added: tagIds, removed: [] }));
    await recordAudit(ctx, ...entries);
    const changed = await updateAll(ctx, changes);
    if (isTagging) await insertMediaTags(ctx.db, ids, tagIds);
    const parts = isTagging ? (['fields', 'tags'] as const) : (['fields'] as const);
    for (const row of rows) ctx.events.publish(mediaUpdate(row, ...parts));
    return ids.map((id) => toMedia(changed.get(id) as NodeRow));
  });
}

/** Returns the rows in the order of their ids. */
async function findOwn(ctx: Context, ids: readonly number[]): Promise<NodeRow[]> {
  const found = await listMediasByIds(ctx.db, scopeOf(ctx), ids);
  const byId = new Map(found.map((row) => [row.id, row]));
  return ids.map((id) =>
    forOne({ id }, () =>
      authorizeExisting(ctx, 'media.update', byId.get(id), { noun: 'media', id }),
    ),
  );
}

/** Changes the rows, with one statement for all that get the same columns. Returns the new rows by id. */
async function updateAll(
  ctx: Context,
  changes: ReadonlyMap<NodeRow, NodeColumns>,
): Promise<Map<number, NodeRow>> {
  const all = [...changes];
  const hidden = all.filter(([, { is_public }]) => is_public === VISIBILITY.private);
  // The old URLs were public, and others may know them.
  await changeAddresses(
    ctx,
    hidden.map(([{ id }]) => id),
  );
  // Merged, each has fields of its own.
  await updateMetadata(
    ctx.db,
    new Map(
      all.flatMap(([row, { metadata }]) =>
        metadata === undefined || metadata === row.metadata ? [] : [[row.id, metadata]],
      ),
    ),
  );
  const changed = new Map<number, NodeRow>();
  const common = all.map(([{ id }, { metadata: _, ...columns }]) => ({ id, columns }));
  for (const group of Map.groupBy(common, ({ columns }) => JSON.stringify(columns)).values()) {
    const ids = group.map(({ id }) => id);
    const columns = { ...group[0]?.columns, updated_at: ctx.clock() };
    for (const row of await updateNodes(ctx.db, scopeOf(ctx), ids, columns))
      changed.set(row.id, row);
  }
  return changed;
}
