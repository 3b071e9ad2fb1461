import type { GraphQLObjectType } from 'graphql';
import { builder } from './builder.ts';
import { encodeGlobalId } from './id.ts';
import { describeErrors } from './manual.ts';
import './scalar.ts';
import './error.ts';
import './type/viewer.ts';
import './type/tree-node.ts';
import { FolderRef } from './type/folder.ts';
import './type/folder-children.ts';
import './type/folder-mutation.ts';
import { MediaRef } from './type/media.ts';
import './type/embed.ts';
import './type/image.ts';
import './type/media-mutation.ts';
import { FileRef } from './type/file.ts';
import { TagRef } from './type/tag.ts';
import './type/tag-mutation.ts';
import './type/upload-session.ts';
import './type/upload.ts';
import './type/replace-file.ts';
import { JobRef } from './type/job.ts';
import './type/job-mutation.ts';
import './type/job-run.ts';
import './type/job-signal.ts';
import './type/import.ts';
import './type/subscription.ts';

/** The public schema. Needs no environment and no database. */
export const schema = builder.toSchema();

describeErrors(schema);

// Pothos promises ids that are known at once: 50 promises a page.
for (const ref of [FileRef, FolderRef, JobRef, MediaRef, TagRef]) {
  const { id } = (schema.getType(ref.name) as GraphQLObjectType).getFields();
  if (id) id.resolve = (node: { id: number }) => encodeGlobalId(ref.name, node.id);
}
