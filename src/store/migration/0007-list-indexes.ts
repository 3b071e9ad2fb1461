import { type RawBuilder, sql } from 'kysely';
import type { Db } from '../db.ts';
import { columnTypes, dialectOf } from '../dialect.ts';

/**
 * Creates an index for each order of each list of nodes, and copies to `media_tag` what the lists of a tag are ordered
 * and narrowed by. The last columns of an index are those that a list or a count checks for every node: it then reads
 * the index only.
 */
export async function up(db: Db): Promise<void> {
  for (const name of REPLACED) await db.schema.dropIndex(name).execute();
  await copyToTags(db);
  for (const [name, definition] of Object.entries(INDEXES)) {
    await sql`create index ${sql.ref(name)} on ${sql.raw(definition)}`.execute(db);
  }
}

const REPLACED = [
  'media_parent',
  'media_parent_id',
  'media_name',
  'media_updated',
  'media_created',
  'media_type',
  'media_owner',
  'media_tag_tag',
];

const INDEXES = {
  media_sort: 'media (sort_order, id, type, is_public, owner)',
  media_created: 'media (created_at, id, type, is_public, owner)',
  media_updated: 'media (updated_at, id, type, is_public, owner)',
  media_name: 'media (name, id, type, is_public, owner)',
  media_parent: 'media (parent_id, sort_order, id, type, is_public)',
  media_parent_id: 'media (parent_id, id, type, is_public)',
  media_parent_created: 'media (parent_id, created_at, id, type, is_public)',
  media_parent_updated: 'media (parent_id, updated_at, id, type, is_public)',
  media_parent_name: 'media (parent_id, name, id, type, is_public)',
  media_parent_folder: `media (parent_id, sort_order, id, is_public) where type = 'folder'`,
  media_type: 'media (type, id, is_public)',
  media_type_created: 'media (type, created_at, id, is_public)',
  media_owner: 'media (owner, id, type, is_public)',
  media_owner_created: 'media (owner, created_at, id, type, is_public)',
  media_unfiled_owner: 'media (owner, id) where parent_id is null',
  media_public: `media (id) where is_public = 1 and type <> 'folder'`,
  media_public_created: `media (created_at, id) where is_public = 1 and type <> 'folder'`,
  media_tag_tag: 'media_tag (tag_id, media_id, is_public)',
  media_tag_created: 'media_tag (tag_id, created_at, media_id, is_public)',
  file_original_type: `file (mime_type, media_id) where key = ''`,
} as const;

/** Triggers keep the copies, so that no code that writes a media item or a tag can forget them. */
async function copyToTags(db: Db): Promise<void> {
  const { integer } = columnTypes(db);
  await db.schema.alterTable('media_tag').addColumn('created_at', integer).execute();
  await db.schema.alterTable('media_tag').addColumn('is_public', integer).execute();
  await sql`update media_tag set created_at = media.created_at, is_public = media.is_public
    from media where media.id = media_tag.media_id`.execute(db);
  for (const trigger of dialectOf(db) === 'postgres' ? POSTGRES : SQLITE) await trigger.execute(db);
}

const SQLITE: readonly RawBuilder<unknown>[] = [
  sql`create trigger media_tag_copy after insert on media_tag when new.created_at is null begin
    update media_tag set (created_at, is_public) =
      (select created_at, is_public from media where id = new.media_id)
    where media_id = new.media_id and tag_id = new.tag_id; end`,
  sql`create trigger media_tag_visibility after update of is_public on media
    when new.is_public <> old.is_public begin
    update media_tag set is_public = new.is_public where media_id = new.id; end`,
];

const POSTGRES: readonly RawBuilder<unknown>[] = [
  // A function has settings of its own: connections turn bitmaps off, but an index of words has no other plan.
  sql`create function media_with_words(query text, max bigint) returns setof bigint
    language plpgsql stable set enable_bitmapscan = on set enable_seqscan = off as $$
    begin return query select media_id from media_search where words @@ to_tsquery('simple', query) limit max; end $$`,
  // The lock: a transaction that changes the visibility at this moment does not see the new row.
  sql`create function media_tag_copy() returns trigger language plpgsql as $$
    begin
      select created_at, is_public into new.created_at, new.is_public
        from media where id = new.media_id for share;
      return new;
    end $$`,
  sql`create trigger media_tag_copy before insert on media_tag
    for each row execute function media_tag_copy()`,
  sql`create function media_tag_visibility() returns trigger language plpgsql as $$
    begin
      update media_tag set is_public = new.is_public where media_id = new.id;
      return null;
    end $$`,
  sql`create trigger media_tag_visibility after update of is_public on media
    for each row when (new.is_public <> old.is_public) execute function media_tag_visibility()`,
];
