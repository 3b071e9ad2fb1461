import { indexMigration } from './index-migration.ts';

const OF_ALL = `where type <> 'folder'`;
const OF_FOLDERS = `where type <> 'folder' and parent_id is not null`;

const INDEXES = {
  media_size: `media (size_bytes, id, type, is_public, owner) ${OF_ALL}`,
  media_title: `media (title_sort, id, type, is_public, owner) ${OF_ALL}`,
  media_taken: `media (taken_sort, id, type, is_public, owner) ${OF_ALL}`,
  media_parent_size: `media (parent_id, size_bytes, id, type, is_public) ${OF_FOLDERS}`,
  media_parent_title: `media (parent_id, title_sort, id, type, is_public) ${OF_FOLDERS}`,
  media_parent_taken: `media (parent_id, taken_sort, id, type, is_public) ${OF_FOLDERS}`,
  media_parent_type: `media (parent_id, type, id, is_public) ${OF_FOLDERS}`,
  media_duration: 'media (duration_ms, id) where duration_ms is not null',
  media_place: 'media (latitude, longitude, id) where latitude is not null',
  media_alt_text: `media (id) where alt_text <> ''`,
  file_original_extension: `file (extension, media_id) where key = '' and extension is not null`,
  file_original_width: `file (width, media_id) where key = '' and width is not null`,
  file_original_height: `file (height, media_id) where key = '' and height is not null`,
};

/**
 * Creates indexes for the orders and filters of lists of media. No folder is in them, and those of the media of folders
 * leave out unfiled media: each upload writes to few of them.
 */
export const { up, online } = indexMigration(INDEXES);
