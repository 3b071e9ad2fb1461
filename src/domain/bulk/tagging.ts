import { z } from 'zod';
import type { NodeRow } from '../../store/table.ts';
import { deleteMediaTags, insertMediaTags, lockTags } from '../../store/tag/tag.ts';
import { listMediasByIds } from '../../store/tree/media.ts';
import { lockNodes } from '../../store/tree/node.ts';
import { type Context, transact } from '../context.ts';
import { mediaUpdate } from '../event/event.ts';
import { idList, parseInput } from '../input.ts';
import { forOne } from '../one-of-many.ts';
import { checkTags } from '../tag/tag.ts';
import { type Media, toMedia } from '../tree/media.ts';
import { nodeTarget } from '../tree/node.ts';
import { authorize, authorizeExisting, scopeOf } from '../viewer/access.ts';
import { type NewAuditEntry, recordAudit } from '../viewer/audit.ts';

const tagMediaInput = z.object({
  mediaIds: idList,
  addTagIds: idList.nullish(),
  removeTagIds: idList.nullish(),
});

/**
 * Adds tags to many media and removes others, all or nothing. A tag in both lists is removed. Needs the creator of
 * each media item or an admin. Throws NotFoundError for media, and for tags to add.
 */
export async function tagMedia(
  ctx: Context,
  input: z.input<typeof tagMediaInput>,
): Promise<Media[]> {
  // Checked before the media: an insufficient role must not be reported as the failure of one of them.
  authorize(ctx, 'media.update');
  const { mediaIds, addTagIds, removeTagIds } = parseInput(tagMediaInput, input);
  return transact(ctx, async (ctx) => {
    // Without the locks one could be deleted, or tagged by another request, between the lines below.
    await lockTags(ctx.db, [...(addTagIds ?? []), ...(removeTagIds ?? [])]);
    await lockNodes(ctx.db, mediaIds);
    const rows = await listMediasByIds(ctx.db, scopeOf(ctx), mediaIds);
    const byId = new Map(rows.map((row) => [row.id, row]));
    const medias = mediaIds.map((id) =>
      forOne({ id }, () =>
        toMedia(authorizeExisting(ctx, 'media.update', byId.get(id), { noun: 'media', id })),
      ),
    );
    await checkTags(ctx, addTagIds ?? []);
    const details = { added: addTagIds ?? [], removed: removeTagIds ?? [] };
    await recordAudit(ctx, ...tagEntries(rows, details));
    await insertMediaTags(ctx.db, mediaIds, addTagIds ?? []);
    await deleteMediaTags(ctx.db, mediaIds, removeTagIds ?? []);
    for (const row of rows) ctx.events.publish(mediaUpdate(row, 'tags'));
    return medias;
  });
}

/** Returns what the audit log says when tags with these ids are added to media and removed from them. */
export function tagEntries(
  rows: readonly NodeRow[],
  details: { added: readonly number[]; removed: readonly number[] },
): NewAuditEntry[] {
  return rows.map((row) => ({ action: 'tag', target: nodeTarget(row), details }));
}
