import { type Folder, findFolder, foldersByIds } from '../../domain/folder.ts';
import { visibleAncestorIds } from '../../domain/media.ts';
import { builder } from '../builder.ts';
import { parseDatabaseId, parseNodeId } from '../id.ts';
import { TreeNodeRef } from './tree-node.ts';

/** A folder and its loader by database id. */
export const FolderRef = builder.loadableNodeRef('Folder', {
  id: { resolve: ({ id }) => id, parse: parseDatabaseId },
  load: (ids: number[], { domain }) => foldersByIds(domain, ids),
  toKey: ({ id }: Folder) => id,
  sort: true,
  cacheResolved: true,
});

FolderRef.implement({
  description: 'A folder of the tree.',
  interfaces: [TreeNodeRef],
});

builder.interfaceFields(TreeNodeRef, (t) => ({
  parent: t.field({
    type: FolderRef,
    nullable: true,
    description:
      'The folder that holds it; null at top level, for what is unfiled, and for a start node.',
    resolve: (node, _args, { domain }) => visibleAncestorIds(domain, node).at(-1) ?? null,
  }),
  ancestors: t.field({
    type: [FolderRef],
    description: 'The folders above it, from the top down.',
    resolve: (node, _args, { domain }) => visibleAncestorIds(domain, node),
  }),
}));

const FolderBy = builder.inputType('FolderBy', {
  description: 'Exactly one of these.',
  isOneOf: true,
  fields: (t) => ({
    id: t.id({ description: 'Global id.' }),
    databaseId: t.int({ description: 'Its number.' }),
    uuid: t.field({ type: 'UUID', description: 'Its UUID.' }),
    path: t.string({ description: 'Names from the top, `/Design/Logos`.' }),
  }),
});

builder.queryField('folder', (t) =>
  t.field({
    type: FolderRef,
    nullable: true,
    description: 'A folder; null if it is not there.',
    args: { by: t.arg({ type: FolderBy, required: true, description: 'Which one.' }) },
    resolve: (_root, { by }, { domain }) => findFolder(domain, toFolderBy(by)),
  }),
);

function toFolderBy(by: typeof FolderBy.$inferInput) {
  if (by.id) return { id: parseNodeId('Folder', by.id, 'id') };
  if (by.uuid) return { uuid: by.uuid };
  if (by.path !== null && by.path !== undefined) return { path: by.path };
  return { id: by.databaseId ?? 0 };
}
