import { type RawBuilder, sql } from 'kysely';
import type { Db } from '../db.ts';
import { dialectOf, isAnyOf, lockRowsById } from '../dialect.ts';
import { ROOT_ID } from '../tree/folder.ts';

/** A node whose stored place does not follow from its parent's, as far as the rows tell. */
export interface MisplacedNode {
  id: number;
  name: string;
}

/**
 * Lists the first `limit` nodes after an id whose path or level differs from what the row of the parent says. While a
 * move is in progress, that is no mistake: look again with its prefixes.
 */
export async function listMisplacedNodes(
  db: Db,
  afterId: number,
  limit: number,
): Promise<MisplacedNode[]> {
  const { rows } = await sql<MisplacedNode>`
    select node.id, node.name from media node left join media parent on parent.id = node.parent_id
    where node.id > ${afterId} and node.id <> ${sql.lit(ROOT_ID)} and case when node.parent_id is null then node.path <> '' or node.level <> 0
      else node.path <> parent.path || parent.id || '/' or node.level <> parent.level + 1 end
    order by node.id limit ${sql.lit(limit)}`.execute(db);
  return rows;
}

/** The place of a node, and the stored path of its parent. */
export interface PlaceOfNode {
  parentId: number | null;
  path: string;
  level: number;
  /** Null if the node has no parent. */
  parentPath: string | null;
}

/** Returns the place of a node; undefined if it does not exist. */
export async function findPlace(db: Db, id: number): Promise<PlaceOfNode | undefined> {
  const { rows } = await sql<PlaceOfNode>`
    select node.parent_id as "parentId", node.path, node.level, parent.path as "parentPath"
    from media node left join media parent on parent.id = node.parent_id where node.id = ${id}`.execute(
    db,
  );
  return rows[0];
}

/** Sets the path and the level of a node. */
export async function updatePlace(
  db: Db,
  id: number,
  place: { path: string; level: number },
): Promise<void> {
  await db.updateTable('media').set(place).where('id', '=', id).execute();
}

/** The tables with a copy of the visibility of their media item. */
const COPIES = ['file', 'media_tag'] as const;

/** A media item of which a row of another table has another visibility. */
export interface WrongCopy {
  table: (typeof COPIES)[number];
  mediaId: number;
}

/** Lists the first `limit` media items after an id whose visibility another table has copied wrongly. */
export async function listWrongCopies(
  db: Db,
  afterId: number,
  limit: number,
): Promise<WrongCopy[]> {
  const parts = COPIES.map((table) => wrongCopiesIn(table, sql`media.id > ${afterId}`));
  const { rows } =
    await sql<WrongCopy>`select distinct * from (${sql.join(parts, sql` union all `)}) part
    order by "mediaId", "table" limit ${sql.lit(limit)}`.execute(db);
  return rows;
}

function wrongCopiesIn(table: WrongCopy['table'], where: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`select ${sql.lit(table)} as "table", media.id as "mediaId" from ${sql.table(table)} copy
    join media on media.id = copy.media_id
    where copy.is_public is not null and copy.is_public <> media.is_public and ${where}`;
}

/** Copies the visibility of a media item again. Call it in a transaction, so that nobody changes it meanwhile. */
export async function copyVisibility(db: Db, { table, mediaId }: WrongCopy): Promise<void> {
  await lockRowsById(db, 'media', [mediaId]);
  await sql`update ${sql.table(table)} set is_public = (select is_public from media where id = ${mediaId})
    where ${isAnyOf(db, 'media_id', [mediaId])}`.execute(db);
}

/** The full-text indexes of SQLite. */
const SEARCH_TABLES = ['media_search', 'media_search_sample'];

/**
 * Returns what SQLite finds wrong with its file and with references between its tables, up to `limit` lines of each.
 * PostgreSQL checks both by itself.
 */
export async function findBrokenPages(db: Db, limit: number): Promise<string[]> {
  if (dialectOf(db) === 'postgres') return [];
  // A connection that has read a full-text index before checks it against what it remembers of the index, and finds
  // mistakes if the index has changed since. A search in the same statement makes it read the index again.
  const searches = SEARCH_TABLES.map(
    (name) => sql`(select count(*) from
      (select rowid from ${sql.table(name)} where ${sql.table(name)} match 'a' limit 1)) cross join`,
  );
  const pages = await sql<{ line: string }>`
    select integrity_check as line from ${sql.join(searches, sql` `)} pragma_integrity_check
    limit ${sql.lit(limit)}`.execute(db);
  const keys = await sql<{ line: string }>`
    select 'row ' || coalesce(rowid, '') || ' of ' || "table" || ' refers to a missing row of ' || parent as line
    from pragma_foreign_key_check limit ${sql.lit(limit)}`.execute(db);
  return [...pages.rows, ...keys.rows].map(({ line }) => line).filter((line) => line !== 'ok');
}
