import { builder } from './builder.ts';
import './scalar.ts';
import './error.ts';
import './type/viewer/viewer.ts';
import './type/viewer/storage-usage.ts';
import './type/viewer/api-key.ts';
import './type/viewer/user.ts';
import './type/viewer/session.ts';
import './type/tree/tree-node.ts';
import './type/tree/folder.ts';
import './type/tree/folder-children.ts';
import './type/tree/media.ts';
import './type/tree/embed.ts';
import './type/tree/tagging.ts';
import './type/rendition/image.ts';
import './type/file/file.ts';
import './type/tag/tag.ts';
import './type/upload/upload-session.ts';
import './type/upload/upload-file.ts';
import './type/job/job.ts';
import './type/job/job-signal.ts';
import './type/trash/trash.ts';
import './type/upload/import.ts';
import './type/event/subscription.ts';

/** The public schema. Needs no environment and no database. */
export const schema = builder.toSchema();
