import type { Tasks } from '../task.ts';
import { deleteWhere } from './bulk/delete-where.ts';
import { tagWhere } from './bulk/tag-where.ts';
import { updateWhere } from './bulk/update-where.ts';
import { deleteBlob } from './file/delete-blob.ts';
import { digestFile } from './file/digest-file.ts';
import { readDetails } from './file/read-details.ts';
import { rehashFile } from './file/rehash-file.ts';
import { sweep } from './file/sweep.ts';
import { createAvif } from './rendition/create-avif.ts';
import { createThumbnail } from './rendition/create-thumbnail.ts';
import { drawPreview } from './rendition/draw-preview.ts';
import { deleteTag } from './tag/delete-tag.ts';
import { indexTag } from './tag/index-tag.ts';
import { purgeSubtree } from './trash/purge-subtree.ts';
import { purgeOldTrash } from './trash/purge-trash.ts';
import { restoreSubtree } from './trash/restore-subtree.ts';
import { deleteSubtree } from './tree/delete-subtree.ts';
import { fetchLink } from './tree/fetch-link.ts';
import { moveSubtree } from './tree/move-subtree.ts';
import { expireUpload } from './upload/expire-upload.ts';
import { importUrl } from './upload/import-url.ts';

/** The task of every job class. */
export const TASKS = {
  'create-avif': createAvif,
  'delete-blob': deleteBlob,
  'delete-subtree': deleteSubtree,
  'delete-tag': deleteTag,
  'delete-where': deleteWhere,
  'digest-file': digestFile,
  'draw-preview': drawPreview,
  'expire-upload': expireUpload,
  'fetch-link': fetchLink,
  'import-url': importUrl,
  'index-tag': indexTag,
  'make-rendition': createThumbnail,
  'move-subtree': moveSubtree,
  'read-details': readDetails,
  'rehash-file': rehashFile,
  'purge-subtree': purgeSubtree,
  'purge-trash': purgeOldTrash,
  'restore-subtree': restoreSubtree,
  sweep,
  'tag-where': tagWhere,
  'update-where': updateWhere,
} satisfies Required<Tasks>;
