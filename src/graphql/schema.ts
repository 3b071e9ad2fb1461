import { builder } from './builder.ts';
import './scalar.ts';
import './error.ts';
import './type/viewer.ts';
import './type/tree-node.ts';
import './type/folder.ts';
import './type/folder-children.ts';
import './type/folder-mutation.ts';
import './type/media.ts';
import './type/embed.ts';
import './type/image.ts';
import './type/media-mutation.ts';
import './type/file.ts';
import './type/tag.ts';
import './type/tag-mutation.ts';
import './type/upload-session.ts';
import './type/upload.ts';
import './type/job.ts';
import './type/job-mutation.ts';
import './type/job-run.ts';
import './type/job-signal.ts';
import './type/import.ts';
import './type/subscription.ts';

/** The public schema. Needs no environment and no database. */
export const schema = builder.toSchema();
