import { indexMigration } from './index-migration.ts';

const INDEXES = {
  file_original_sha256: "file (sha256, media_id) where key = '' and sha256 is not null",
  upload_open_owner: "upload (owner, created_at, upload_id) where status = 'open'",
};

/** Creates the indexes of the media with the same original, and of the open upload sessions of a viewer. */
export const { up, online } = indexMigration(INDEXES);
