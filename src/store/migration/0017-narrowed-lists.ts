import { sql } from 'kysely';
import type { Db } from '../db.ts';
import { columnTypes, dialectOf } from '../dialect.ts';
import type { OnlineStep } from '../migration.ts';
import { createAllIndexes, indexStep } from './index-migration.ts';

/**
 * Creates indexes for lists that passed thousands of rows, among a million files and 300,000 jobs, to find a page: the
 * files of a project by time or size, and the jobs of a status by scheduled time or by their last change. Gives jobs a
 * column of the beginning of their error: PostgreSQL reads an index on an expression alone, without the table, only if
 * the index has the columns of the expression too, and an error may be too long for that. Page 2,000 by error took
 * 75 ms.
 */
export async function up(db: Db): Promise<void> {
  await addErrorStem(db);
  await createAllIndexes(db, INDEXES, REPLACED);
}

async function addErrorStem(db: Db): Promise<void> {
  const { text } = columnTypes(db);
  const isPostgres = dialectOf(db) === 'postgres';
  const kind = sql.raw(isPostgres ? 'stored' : 'virtual');
  const ifNew = sql.raw(isPostgres ? 'if not exists' : '');
  await sql`alter table job add column ${ifNew} error_stem ${text}
    generated always as (substr(error, 1, 200)) ${kind}`.execute(db);
}

const REPLACED = ['job_by_error', 'job_by_scheduled_at', 'job_by_updated_at'];

/** Most files have no project. */
const INDEXES = {
  job_by_error: 'job (error_stem, uuid)',
  job_by_scheduled_at: 'job ((scheduled_at + 0), uuid, id, scheduled_at, status, job_class)',
  job_by_updated_at: 'job ((updated_at + 0), uuid, id, updated_at, status, job_class)',
  file_project_created: 'file (project_id, created_at, uuid) where project_id is not null',
  file_project_updated: 'file (project_id, updated_at, uuid) where project_id is not null',
  file_project_size: 'file (project_id, size_bytes, uuid) where project_id is not null',
} as const;

/** The same, while others use the tables. Only the new column of the jobs makes them wait: PostgreSQL writes the table anew. */
export const online: readonly OnlineStep[] = [{ run: addErrorStem }, indexStep(INDEXES, REPLACED)];
