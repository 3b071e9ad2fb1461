import type { Db } from '../db.ts';

/** The original of a media item without a preview. */
export interface UndrawnOriginal {
  media_id: number;
  uuid: string;
}

/** Which originals to list. */
export interface UndrawnQuery {
  /** MIME types, or their beginning: `image/heic`, `video/*`. */
  mimeTypes: readonly string[];
  /** The key of previews. */
  key: string;
  /** Whether to include originals whose preview could not be drawn. */
  isRetry: boolean;
  /** Only media with a greater id. */
  afterId: number;
  limit: number;
}

/** Returns originals without a preview, in the order of the ids of their media, without damaged ones. */
export function listUndrawnOriginals(
  db: Db,
  { mimeTypes, key, isRetry, afterId, limit }: UndrawnQuery,
): Promise<UndrawnOriginal[]> {
  return db
    .selectFrom('media')
    .innerJoin('file', (join) =>
      join.onRef('file.media_id', '=', 'media.id').on('file.key', '=', ''),
    )
    .where('media.id', '>', afterId)
    .where('file.damaged_at', 'is', null)
    .$if(!isRetry, (query) => query.where('media.preview_error', 'is', null))
    .where(({ eb, or }) =>
      or(
        mimeTypes.map((type) =>
          type.endsWith('/*')
            ? eb('file.mime_type', 'like', `${type.slice(0, -1)}%`)
            : eb('file.mime_type', '=', type),
        ),
      ),
    )
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('file as drawn')
            .whereRef('drawn.media_id', '=', 'media.id')
            .where('drawn.key', '=', key)
            .select('drawn.id'),
        ),
      ),
    )
    .orderBy('media.id')
    .limit(limit)
    .select(['file.media_id', 'file.uuid'])
    .execute();
}
