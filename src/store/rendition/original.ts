import type { Db } from '../db.ts';
import type { FileRow } from '../table.ts';

/** The columns of an original that tell what has been derived from it. */
export interface OriginalRow
  extends Pick<
    FileRow,
    | 'id'
    | 'uuid'
    | 'media_id'
    | 'mime_type'
    | 'width'
    | 'height'
    | 'color'
    | 'thumbhash'
    | 'has_alpha'
    | 'is_animated'
    | 'thumbnail_sizes'
  > {
  /** The id of the thumbnail of the media item; null: it has none. */
  thumbnail_id: number | null;
}

/**
 * Returns the originals of the media after `afterMediaId`, in the order of their ids, without damaged ones. `key`: that of
 * thumbnails.
 */
export function listOriginals(
  db: Db,
  { afterMediaId, limit, key }: { afterMediaId: number; limit: number; key: string },
): Promise<OriginalRow[]> {
  return (
    db
      .selectFrom('file')
      // By the index of media and keys, so that a page looks at its own rows only.
      .leftJoin('file as thumbnail', (join) =>
        join.onRef('thumbnail.media_id', '=', 'file.media_id').on('thumbnail.key', '=', key),
      )
      .where('file.key', '=', '')
      .where('file.media_id', '>', afterMediaId)
      .where('file.damaged_at', 'is', null)
      .orderBy('file.media_id')
      .limit(limit)
      .select([
        ...(['file.id', 'file.uuid', 'file.media_id', 'file.mime_type'] as const),
        ...(['file.width', 'file.height', 'file.color', 'file.thumbhash'] as const),
        ...(['file.has_alpha', 'file.is_animated', 'file.thumbnail_sizes'] as const),
        'thumbnail.id as thumbnail_id',
      ])
      .execute()
  );
}
