import { sql } from 'kysely';
import type { Db } from '../db.ts';

/** Creates the indexes of the media with the same original, and of the open upload sessions of a viewer. */
export async function up(db: Db): Promise<void> {
  for (const [name, definition] of Object.entries(INDEXES)) {
    await sql`create index ${sql.ref(name)} on ${sql.raw(definition)}`.execute(db);
  }
}

const INDEXES = {
  file_original_sha256: "file (sha256, media_id) where key = '' and sha256 is not null",
  upload_open_owner: "upload (owner, created_at, upload_id) where status = 'open'",
};
