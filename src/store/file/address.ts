import type { Db } from '../db.ts';
import type { FileRow } from '../table.ts';

/** Keeps a name in the URLs of a media item, which leads to its original from then on. */
export async function insertAddress(
  db: Db,
  { media_id, url_name }: Pick<FileRow, 'media_id' | 'url_name'>,
): Promise<void> {
  await db
    .insertInto('file_address')
    .values({ media_id, url_name })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** Tells whether a file of a media item has, or its original has had, this name in its URL. */
export async function isUrlNameTaken(
  db: Db,
  { media_id, dir, url_name }: Pick<FileRow, 'media_id' | 'dir' | 'url_name'>,
): Promise<boolean> {
  const row = await db
    .selectFrom('file')
    .where('dir', '=', dir)
    .where('url_name', '=', url_name)
    .select('url_name')
    .unionAll(
      db
        .selectFrom('file_address')
        .where('media_id', '=', media_id)
        .where('url_name', '=', url_name)
        .select('url_name'),
    )
    .executeTakeFirst();
  return row !== undefined;
}

/** Returns the last segments of the URLs that the files of a media item have, or that its original has had. */
export async function listUrlNames(db: Db, mediaId: number): Promise<string[]> {
  const rows = await db
    .selectFrom('file')
    .where('media_id', '=', mediaId)
    .select('url_name')
    .unionAll(db.selectFrom('file_address').where('media_id', '=', mediaId).select('url_name'))
    .execute();
  return [...new Set(rows.map((row) => row.url_name))];
}
