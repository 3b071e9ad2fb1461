import type { Db } from '../db.ts';
import { columnTypes } from '../dialect.ts';

/** Adds the lease of an upload: the process that may write to it, until when, and a number that grows with each taking. */
export async function up(db: Db): Promise<void> {
  const { integer, text } = columnTypes(db);
  const upload = db.schema.alterTable('upload');
  await upload.addColumn('lease_holder', text).execute();
  await upload.addColumn('lease_expires_at', integer).execute();
  await upload.addColumn('lease_fence', integer, (c) => c.notNull().defaultTo(0)).execute();
}
