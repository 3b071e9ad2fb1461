import { sql } from 'kysely';
import type { Db } from '../db.ts';
import { isAnyOf } from '../dialect.ts';

/** The original of a media item whose details have not been read. */
export interface UnreadOriginal {
  media_id: number;
  uuid: string;
  mime_type: string;
}

/**
 * Returns the originals of media beyond an id whose details have not been read, in the order of these ids; with `again`,
 * also of those whose details are this text, and of videos without a width. A damaged file is not among them.
 */
export function listUnreadOriginals(
  db: Db,
  { afterId, limit, again }: { afterId: number; limit: number; again: string | null },
): Promise<UnreadOriginal[]> {
  return db
    .selectFrom('media')
    .innerJoin('file', (join) =>
      join.onRef('file.media_id', '=', 'media.id').on('file.key', '=', sql.lit('')),
    )
    .where(({ eb, or, and }) =>
      or([
        eb('media.details', 'is', null),
        ...(again === null
          ? []
          : [
              eb('media.details', '=', again),
              and([
                eb('file.mime_type', 'like', 'video/%'),
                eb('media.details', 'not like', '%"width":%'),
              ]),
            ]),
      ]),
    )
    .where('media.id', '>', afterId)
    .where('file.damaged_at', 'is', null)
    .orderBy('media.id')
    .limit(limit)
    .select(['file.media_id', 'file.uuid', 'file.mime_type'])
    .execute();
}

/** Stores the details of media of which there is nothing to read, unless they have details by now. */
export async function insertNoDetails(
  db: Db,
  mediaIds: readonly number[],
  details: string,
): Promise<void> {
  await db
    .updateTable('media')
    .set({ details })
    .where(isAnyOf(db, 'id', mediaIds))
    .where('details', 'is', null)
    .execute();
}
