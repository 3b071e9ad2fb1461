import { sql } from 'kysely';
import type { Db } from '../db.ts';
import { createIndexes } from './create-indexes.ts';

/** Creates indexes for the filters and orders of the Importer's lists, mainly a file's resource and name. */
export async function up(db: Db): Promise<void> {
  await sql`create index media_resource_name on media (coalesce(resource, uuid))`.execute(db);
  await sql`create index file_name on file ((replace(uuid, '-', '') || coalesce('.' || extension, '')))`.execute(
    db,
  );
  await createIndexes(db, INDEXES);
}

const INDEXES = [
  ['file_created', 'file', ['created_at', 'uuid']],
  ['file_project', 'file', ['project_id', 'uuid']],
  ['job_created', 'job', ['created_at', 'uuid']],
] as const;
