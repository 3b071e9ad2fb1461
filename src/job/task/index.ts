import type { Tasks } from '../task.ts';
import { deleteBlob } from './delete-blob.ts';
import { digestFile } from './digest-file.ts';
import { expireUpload } from './expire-upload.ts';
import { fetchLink } from './fetch-link.ts';
import { importUrl } from './import-url.ts';
import { makeRendition } from './make-rendition.ts';
import { sweep } from './sweep.ts';

/** What this server can do, by the class of the job: there is a task for every class. */
export const TASKS = {
  'delete-blob': deleteBlob,
  'digest-file': digestFile,
  'expire-upload': expireUpload,
  'fetch-link': fetchLink,
  'import-url': importUrl,
  'make-rendition': makeRendition,
  sweep,
} satisfies Required<Tasks>;
