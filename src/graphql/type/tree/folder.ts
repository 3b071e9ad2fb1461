import { type Folder, findFolder, foldersByIds } from '../../../domain/tree/folder.ts';
import { type NodeFields, visibleAncestorIds } from '../../../domain/tree/node.ts';
import { builder, type GraphqlContext } from '../../builder.ts';
import { parseOptionalNodeId } from '../../id.ts';
import { nodeLoader, nodeOptions } from '../../loader.ts';
import { TreeNodeRef } from './tree-node.ts';

const folderLoader = nodeLoader(foldersByIds);

/** A folder of the tree. */
export const FolderRef = builder.nodeRef('Folder', nodeOptions(folderLoader));

FolderRef.implement({
  description: 'A folder of the tree.',
  interfaces: [TreeNodeRef],
});

/** The connection of every list of folders. */
export const FolderConnection = builder.connectionObject({
  type: FolderRef,
  name: 'FolderConnection',
});

builder.interfaceFields(TreeNodeRef, (t) => ({
  parent: t.field({
    type: FolderRef,
    nullable: true,
    description:
      'The folder that holds it; null at top level, for what is unfiled, and for a start node.',
    resolve: parentOf,
  }),
  ancestors: t.field({
    type: [FolderRef],
    description: 'The folders above it, from the top down.',
    resolve: async (node, _args, context) => {
      const ids = visibleAncestorIds(context.domain, node);
      const folders = await Promise.all(ids.map((id) => folderLoader(context).load(id)));
      return folders.filter((folder) => folder !== null);
    },
  }),
}));

/** The folder that holds a node; null if there is none that the viewer may see. */
export function parentOf(
  node: NodeFields,
  _args: object,
  context: GraphqlContext,
): Promise<Folder | null> | null {
  const id = visibleAncestorIds(context.domain, node).at(-1);
  return id === undefined ? null : folderLoader(context).load(id);
}

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
  if (by.uuid) return { uuid: by.uuid };
  if (by.path !== null && by.path !== undefined) return { path: by.path };
  return { id: parseOptionalNodeId('Folder', by.id, 'id') ?? by.databaseId ?? 0 };
}
