import type { GraphQLObjectType } from 'graphql';
import { builder } from './builder.ts';
import { encodeGlobalId } from './id.ts';
import { describeErrors } from './manual.ts';
import './scalar.ts';
import './error.ts';
import './type/viewer/viewer.ts';
import './type/tree/tree-node.ts';
import { FolderRef } from './type/tree/folder.ts';
import './type/tree/folder-children.ts';
import './type/tree/folder-mutation.ts';
import { MediaRef } from './type/tree/media.ts';
import './type/tree/embed.ts';
import './type/rendition/image.ts';
import './type/tree/media-mutation.ts';
import { FileRef } from './type/file/file.ts';
import { TagRef } from './type/tag/tag.ts';
import './type/tag/tag-mutation.ts';
import './type/upload/upload-session.ts';
import './type/upload/upload.ts';
import './type/upload/replace-file.ts';
import { JobRef } from './type/job/job.ts';
import './type/job/job-mutation.ts';
import './type/job/job-run.ts';
import './type/job/job-signal.ts';
import './type/upload/import.ts';
import './type/event/subscription.ts';

/** The public schema. Needs no environment and no database. */
export const schema = builder.toSchema();

describeErrors(schema);

// Pothos promises ids that are known at once: 50 promises a page.
for (const ref of [FileRef, FolderRef, JobRef, MediaRef, TagRef]) {
  const { id } = (schema.getType(ref.name) as GraphQLObjectType).getFields();
  if (id) id.resolve = (node: { id: number }) => encodeGlobalId(ref.name, node.id);
}
