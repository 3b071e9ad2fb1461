import { indexMigration } from './index-migration.ts';

const INDEXES = {
  user_account_from_file: 'user_account (id) where is_from_file = 1',
  job_without_media: 'job (created_by) where media_id is null',
};

/**
 * Creates indexes of a few rows: the users that are copies of the users' file, which each start reads, and the jobs
 * without a media item, which the count of the jobs that a viewer may see adds to those of media.
 */
export const { up, online } = indexMigration(INDEXES);
