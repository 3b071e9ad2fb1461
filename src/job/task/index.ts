import type { Tasks } from '../task.ts';
import { deleteBlob } from './delete-blob.ts';
import { digestFile } from './digest-file.ts';
import { expireUpload } from './expire-upload.ts';
import { makeRendition } from './make-rendition.ts';
import { sweep } from './sweep.ts';

/** What this server can do, by the class of the job. */
export const TASKS = {
  'delete-blob': deleteBlob,
  'digest-file': digestFile,
  'expire-upload': expireUpload,
  'make-rendition': makeRendition,
  sweep,
} satisfies Tasks;
