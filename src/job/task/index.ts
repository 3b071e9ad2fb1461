import type { Tasks } from '../task.ts';
import { createThumbnail } from './create-thumbnail.ts';
import { deleteBlob } from './delete-blob.ts';
import { deleteSubtree } from './delete-subtree.ts';
import { deleteTag } from './delete-tag.ts';
import { digestFile } from './digest-file.ts';
import { expireUpload } from './expire-upload.ts';
import { fetchLink } from './fetch-link.ts';
import { importUrl } from './import-url.ts';
import { indexTag } from './index-tag.ts';
import { sweep } from './sweep.ts';

/** The task of every job class. */
export const TASKS = {
  'delete-blob': deleteBlob,
  'delete-subtree': deleteSubtree,
  'delete-tag': deleteTag,
  'digest-file': digestFile,
  'expire-upload': expireUpload,
  'fetch-link': fetchLink,
  'import-url': importUrl,
  'index-tag': indexTag,
  'make-rendition': createThumbnail,
  sweep,
} satisfies Required<Tasks>;
