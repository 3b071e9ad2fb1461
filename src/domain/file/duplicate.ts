import { listDuplicatesOfEach } from '../../store/file/duplicate.ts';
import type { Context } from '../context.ts';
import type { Only } from '../row-reader.ts';
import { MEDIA, type Media } from '../tree/media.ts';
import { scopeOf } from '../viewer/access.ts';

/** Maximum number of duplicates of one media item that are shown. */
export const DUPLICATES_MAX = 50;

/**
 * Returns the other media that the viewer may see and whose original has the same SHA-256, oldest first. Media without
 * duplicates are not in the map.
 */
export async function duplicatesByMediaIds(
  ctx: Context,
  mediaIds: readonly number[],
  only?: Only<Media>,
): Promise<Map<number, Media[]>> {
  const { columns, convert } = MEDIA.part(only);
  const found = await listDuplicatesOfEach(ctx.db, scopeOf(ctx), mediaIds, columns);
  return new Map([...found].map(([id, rows]) => [id, rows.slice(0, DUPLICATES_MAX).map(convert)]));
}
