import { type CreateTableBuilder, sql } from 'kysely';
import type { Db } from '../db.ts';
import { advanceIdentity, type ColumnTypes, columnTypes } from '../dialect.ts';

/** Creates the tables for the tree, files, tags, uploads, jobs and keys, and inserts the hidden root row. */
export async function up(db: Db): Promise<void> {
  const types = columnTypes(db);
  await createMedia(db, types);
  await createFile(db, types);
  await createTag(db, types);
  await createUpload(db, types);
  await createJob(db, types);
  await createApiKey(db, types);
  await insertRoot(db);
}

async function createMedia(db: Db, { id, integer, text }: ColumnTypes): Promise<void> {
  await table(db, 'media')
    .addColumn('id', id)
    .addColumn('uuid', text, (c) => c.notNull().unique())
    .addColumn('type', text, (c) => c.notNull())
    .addColumn('parent_id', integer, (c) => c.references('media.id'))
    .addColumn('level', integer, (c) => c.notNull())
    .addColumn('path', text, (c) => c.notNull())
    .addColumn('sort_order', integer, (c) => c.notNull().defaultTo(0))
    .addColumn('name', text, (c) => c.notNull())
    .addColumn('title', text)
    .addColumn('description', text)
    .addColumn('keywords', text)
    .addColumn('url', text)
    .addColumn('image_url', text)
    .addColumn('image_width', integer)
    .addColumn('image_height', integer)
    .addColumn('focal_point', text)
    .addColumn('crops', text)
    .addColumn('oembed_type', text)
    .addColumn('oembed_url', text)
    .addColumn('oembed_width', integer)
    .addColumn('oembed_height', integer)
    .addColumn('oembed_duration', integer)
    .addColumn('oembed_html', text)
    .addColumn('embed_type', text)
    .addColumn('embed_id', text)
    .addColumn('embed_url', text)
    .addColumn('embed_metadata', text)
    .addColumn('resource', text, (c) => c.unique())
    .addColumn('owner', text)
    .addColumn('is_public', integer, (c) => c.notNull().defaultTo(0))
    .addColumn('created_at', integer, (c) => c.notNull())
    .addColumn('updated_at', integer, (c) => c.notNull())
    .addColumn('deleted_at', integer)
    .execute();
  await index(db, 'media_parent', 'media', ['parent_id', 'sort_order', 'id']);
  await index(db, 'media_path', 'media', ['path']);
}

async function createFile(db: Db, { id, integer, text }: ColumnTypes): Promise<void> {
  await table(db, 'file')
    .addColumn('id', id)
    .addColumn('uuid', text, (c) => c.notNull().unique())
    .addColumn('media_id', integer, (c) => c.notNull().references('media.id'))
    .addColumn('key', text, (c) => c.notNull())
    .addColumn('filename', text, (c) => c.notNull())
    .addColumn('extension', text)
    .addColumn('mime_type', text, (c) => c.notNull())
    .addColumn('size_bytes', integer, (c) => c.notNull())
    .addColumn('md5', text, (c) => c.notNull())
    .addColumn('sha256', text)
    .addColumn('width', integer)
    .addColumn('height', integer)
    .addColumn('dir', text, (c) => c.notNull())
    .addColumn('url_name', text, (c) => c.notNull())
    .addColumn('blob_key', text, (c) => c.notNull().unique())
    .addColumn('created_by', text)
    .addColumn('created_role', text)
    .addColumn('project_id', text)
    .addColumn('created_at', integer, (c) => c.notNull())
    .addColumn('updated_at', integer, (c) => c.notNull())
    .addUniqueConstraint('file_media_key', ['media_id', 'key'])
    .addUniqueConstraint('file_dir_key', ['dir', 'key'])
    .execute();
}

async function createTag(db: Db, { id, integer, text }: ColumnTypes): Promise<void> {
  await table(db, 'tag')
    .addColumn('id', id)
    .addColumn('type', text, (c) => c.notNull())
    .addColumn('name', text, (c) => c.notNull())
    .addColumn('description', text)
    .addColumn('color', text, (c) => c.notNull())
    .addColumn('visible', integer, (c) => c.notNull())
    .addColumn('active', integer, (c) => c.notNull())
    .addColumn('visibility_boost', integer, (c) => c.notNull())
    .addColumn('created_at', integer, (c) => c.notNull())
    .addColumn('updated_at', integer, (c) => c.notNull())
    .execute();
  await index(db, 'tag_name', 'tag', ['name', 'id']);
  await table(db, 'media_tag')
    .addColumn('media_id', integer, (c) => c.notNull().references('media.id').onDelete('cascade'))
    .addColumn('tag_id', integer, (c) => c.notNull().references('tag.id').onDelete('cascade'))
    .addPrimaryKeyConstraint('media_tag_pk', ['media_id', 'tag_id'])
    .execute();
  await index(db, 'media_tag_tag', 'media_tag', ['tag_id', 'media_id']);
}

async function createUpload(db: Db, { integer, text, binary }: ColumnTypes): Promise<void> {
  await table(db, 'upload')
    .addColumn('upload_id', text, (c) => c.primaryKey())
    .addColumn('owner', text)
    .addColumn('filename', text, (c) => c.notNull())
    .addColumn('declared_type', text)
    .addColumn('total_bytes', integer, (c) => c.notNull())
    .addColumn('offset_bytes', integer, (c) => c.notNull())
    .addColumn('digest_state', binary, (c) => c.notNull())
    .addColumn('blob_key', text, (c) => c.notNull().unique())
    .addColumn('status', text, (c) => c.notNull())
    .addColumn('media_id', integer, (c) => c.references('media.id').onDelete('set null'))
    .addColumn('expires_at', integer, (c) => c.notNull())
    .addColumn('created_at', integer, (c) => c.notNull())
    .addColumn('updated_at', integer, (c) => c.notNull())
    .execute();
  await index(db, 'upload_expiry', 'upload', ['status', 'expires_at']);
  await index(db, 'upload_media', 'upload', ['media_id']);
}

async function createJob(db: Db, { id, integer, real, text }: ColumnTypes): Promise<void> {
  await table(db, 'job')
    .addColumn('id', id)
    .addColumn('uuid', text, (c) => c.notNull().unique())
    .addColumn('job_class', text, (c) => c.notNull())
    .addColumn('arguments', text, (c) => c.notNull())
    .addColumn('media_id', integer, (c) => c.references('media.id').onDelete('set null'))
    .addColumn('priority', integer, (c) => c.notNull().defaultTo(0))
    .addColumn('status', text, (c) => c.notNull())
    .addColumn('progress', real, (c) => c.notNull().defaultTo(0))
    .addColumn('retry_count', integer, (c) => c.notNull().defaultTo(0))
    .addColumn('max_retries', integer, (c) => c.notNull().defaultTo(0))
    .addColumn('error', text)
    .addColumn('unicity', text)
    .addColumn('scheduled_at', integer, (c) => c.notNull())
    .addColumn('lease_token', text)
    .addColumn('leased_until', integer)
    .addColumn('heartbeat_at', integer)
    .addColumn('worker', text)
    .addColumn('cancel_requested_at', integer)
    .addColumn('cancel_reason', text)
    .addColumn('created_at', integer, (c) => c.notNull())
    .addColumn('updated_at', integer, (c) => c.notNull())
    .addColumn('started_at', integer)
    .addColumn('finished_at', integer)
    .execute();
  await sql`create index job_claim on job (priority desc, scheduled_at, id) where status = 'pending'`.execute(
    db,
  );
  await sql`create unique index job_unicity on job (unicity) where status in ('pending', 'running', 'paused')`.execute(
    db,
  );
  await index(db, 'job_media', 'job', ['media_id']);
  await table(db, 'job_attempt')
    .addColumn('id', id)
    .addColumn('job_id', integer, (c) => c.notNull().references('job.id').onDelete('cascade'))
    .addColumn('number', integer, (c) => c.notNull())
    .addColumn('worker', text, (c) => c.notNull())
    .addColumn('started_at', integer, (c) => c.notNull())
    .addColumn('finished_at', integer)
    .addColumn('error', text)
    .addUniqueConstraint('job_attempt_number', ['job_id', 'number'])
    .execute();
}

async function createApiKey(db: Db, { id, integer, text }: ColumnTypes): Promise<void> {
  await table(db, 'api_key')
    .addColumn('id', id)
    .addColumn('uuid', text, (c) => c.notNull().unique())
    .addColumn('key_sha256', text, (c) => c.notNull().unique())
    .addColumn('name', text, (c) => c.notNull())
    .addColumn('role', text, (c) => c.notNull())
    .addColumn('start_nodes', text)
    .addColumn('created_at', integer, (c) => c.notNull())
    .addColumn('expires_at', integer)
    .addColumn('last_used_at', integer)
    .execute();
}

async function insertRoot(db: Db): Promise<void> {
  const now = Date.now();
  await db
    .insertInto('media')
    .values({
      id: 1,
      uuid: '00000000-0000-0000-0000-000000000001',
      type: 'folder',
      level: 0,
      path: '/',
      sort_order: 0,
      name: '',
      is_public: 0,
      created_at: now,
      updated_at: now,
    })
    .execute();
  await advanceIdentity(db, 'media');
}

function table(db: Db, name: string): CreateTableBuilder<string, never> {
  return db.schema.createTable(name);
}

async function index(db: Db, name: string, on: string, columns: string[]): Promise<void> {
  await db.schema.createIndex(name).on(on).columns(columns).execute();
}
