import { sql } from 'kysely';
import type { Db } from '../db.ts';
import { columnTypes, dialectOf } from '../dialect.ts';

/**
 * Creates an index for each filter and order of the lists of files and jobs. Gives each file the two fields of its
 * media item that lists of files are ordered by: an index cannot have columns of two tables.
 */
export async function up(db: Db): Promise<void> {
  const { integer, text } = columnTypes(db);
  await db.schema.alterTable('file').addColumn('resource', text).execute();
  await db.schema
    .alterTable('file')
    .addColumn('is_public', integer, (c) => c.notNull().defaultTo(0))
    .execute();
  await sql`update file set resource = coalesce(media.resource, media.uuid), is_public = media.is_public
    from media where media.id = file.media_id`.execute(db);
  for (const statement of dialectOf(db) === 'postgres' ? POSTGRES : SQLITE) {
    await statement.execute(db);
  }
  for (const name of REPLACED) await db.schema.dropIndex(name).execute();
  for (const [name, definition] of Object.entries(INDEXES)) {
    await sql`create index ${sql.ref(name)} on ${sql.raw(definition)}`.execute(db);
  }
}

/**
 * Each ends with the uuid, by which ties are ordered. Those of jobs, and that of `key`, are on expressions that only
 * the lists use: otherwise planners would prefer them to the indexes of the queue, and to those that find an original.
 */
const INDEXES = {
  file_by_resource: 'file (resource, uuid)',
  file_by_key: `file ((key || ''), uuid)`,
  file_by_filename: 'file (filename, uuid)',
  file_by_size_bytes: 'file (size_bytes, uuid)',
  file_by_mime_type: 'file (mime_type, uuid)',
  file_by_created_by: 'file (created_by, uuid)',
  file_by_created_role: 'file (created_role, uuid)',
  file_by_is_public: 'file (is_public, uuid)',
  file_by_created_at: 'file (created_at, uuid)',
  file_by_updated_at: 'file (updated_at, uuid)',
  file_by_project_id: 'file (project_id, uuid)',
  file_by_md5: 'file (md5, uuid)',
  job_by_job_class: `job ((job_class || ''), uuid)`,
  job_by_priority: 'job ((priority + 0), uuid)',
  job_by_status: `job ((status || ''), uuid)`,
  job_by_progress: 'job ((progress + 0), uuid)',
  job_by_retry_count: 'job ((retry_count + 0), uuid)',
  job_by_error: 'job (substr(error, 1, 200), uuid)',
  job_by_unicity: `job ((unicity || ''), uuid)`,
  job_by_scheduled_at: 'job ((scheduled_at + 0), uuid)',
  job_by_created_at: 'job ((created_at + 0), uuid)',
  job_by_updated_at: 'job ((updated_at + 0), uuid)',
  // GraphQL breaks ties by id. The other fields that it orders by have few.
  job_priority: 'job ((priority + 0), id)',
} as const;

/** The new indexes begin with the same columns. */
const REPLACED = ['file_created', 'file_project', 'job_created'];

/** A resource never changes its name. */
const SQLITE = [
  sql`create trigger file_public after update of is_public on media when old.is_public != new.is_public begin
    update file set is_public = new.is_public where media_id = new.id; end`,
];

const POSTGRES = [
  sql`create function file_public() returns trigger language plpgsql as $$
    begin update file set is_public = new.is_public where media_id = new.id; return null; end
  $$`,
  sql`create trigger file_public after update of is_public on media for each row
    when (old.is_public != new.is_public) execute function file_public()`,
];
