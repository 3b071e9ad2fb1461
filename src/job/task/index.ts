import type { Tasks } from '../task.ts';
import { createThumbnail } from './create-thumbnail.ts';
import { deleteBlob } from './delete-blob.ts';
import { digestFile } from './digest-file.ts';
import { expireUpload } from './expire-upload.ts';
import { fetchLink } from './fetch-link.ts';
import { importUrl } from './import-url.ts';
import { sweep } from './sweep.ts';

/** The task of every job class. */
export const TASKS = {
  'delete-blob': deleteBlob,
  'digest-file': digestFile,
  'expire-upload': expireUpload,
  'fetch-link': fetchLink,
  'import-url': importUrl,
  'make-rendition': createThumbnail,
  sweep,
} satisfies Required<Tasks>;
