import { FolderCycleError, NotFoundError } from '../../../domain/error.ts';
import type { Folder } from '../../../domain/tree/folder.ts';
import type { Media } from '../../../domain/tree/media.ts';
import { moveNodes } from '../../../domain/tree/move.ts';
import { type NodePermissions, permissionsOf } from '../../../domain/tree/permission.ts';
import { builder } from '../../builder.ts';
import { expose, exposeNullable } from '../../expose.ts';
import { parseOptionalNodeId, parseTreeIds } from '../../id.ts';
import { mutation } from '../../mutation.ts';
import { withNeeds } from '../../needs.ts';

/** The fields that folders and media have in common; `folder.ts` adds the folders above a node. */
export const TreeNodeRef = builder.interfaceRef<Folder | Media>('TreeNode');

const NodePermissionsRef = builder.objectRef<NodePermissions>('NodePermissions').implement({
  description:
    'What the viewer may do to a folder or a media item. Other things may still prevent it, such as a folder that is not empty.',
  fields: (t) =>
    expose(t, 'Boolean', {
      canEdit:
        'Whether the viewer may change the node, and the file and the tags of a media item. False in the trash.',
      canDelete:
        'Whether the viewer may move the node into the trash; in the trash, whether the viewer may delete it for ever.',
      canMove: 'Whether the viewer may move the node to another folder. False in the trash.',
    }),
});

TreeNodeRef.implement({
  description: 'A node of the folder tree: a folder or a media item.',
  interfaces: [builder.nodeInterfaceRef()],
  resolveType: (node) => (node.type === 'folder' ? 'Folder' : 'Media'),
  fields: (t) => ({
    databaseId: t.exposeInt('id', {
      description:
        'Numeric id of the node, as used by the REST dialects. Folders and media share one sequence of numbers.',
    }),
    ...expose(t, 'UUID', {
      uuid: 'UUID of the node, the same in GraphQL and in the REST dialects.',
    }),
    ...expose(t, 'String', {
      name: 'Name of the node. Several nodes in a folder may have the same name.',
    }),
    ...expose(t, 'Int', {
      level: 'Depth in the tree: 1 at the top level, 0 for an unfiled media item.',
      sortOrder: 'Position among the nodes of the same folder, lowest first.',
    }),
    ...expose(t, 'DateTime', {
      createdAt: 'Time at which the node was created.',
      updatedAt: 'Time of the last change.',
    }),
    ...exposeNullable(t, 'DateTime', {
      deletedAt:
        'Time at which the node was moved into the trash. Null, except for the nodes that `trash` returns. The parent and the ancestors of those are the folders that still exist, and a folder in the trash lists no children.',
    }),
    permissions: t.field({
      type: NodePermissionsRef,
      description: 'What the viewer may do to the node.',
      ...withNeeds('id', 'type', 'owner', 'deletedAt'),
      resolve: (node, _args, { domain }) => permissionsOf(domain, node),
    }),
  }),
});

/** The connection of every list that mixes folders and media. */
export const TreeNodeConnection = builder.connectionObject({
  type: TreeNodeRef,
  name: 'TreeNodeConnection',
});

mutation('moveNodes', {
  description:
    'Moves folders and media to the end of a folder. A folder is moved with everything below it. If one node cannot be moved, nothing changes. Requires the role `EDITOR` if the viewer created all of the nodes, and `ADMIN` otherwise.',
  errors: [NotFoundError, FolderCycleError],
  input: (t) => ({
    ids: t.idList({
      required: true,
      description: 'Global ids of the folders and media to move, 1 to 200.',
    }),
    parentId: t.id({
      description: 'Global id of the target folder. Omit it or pass null for the top level.',
    }),
  }),
  success: {
    field: 'nodes',
    type: [TreeNodeRef],
    description: 'The moved nodes, in the order of `ids`.',
  },
  resolve: (domain, { ids, parentId }) =>
    moveNodes(domain, {
      ids: parseTreeIds(ids, 'ids'),
      parentId: parseOptionalNodeId('Folder', parentId, 'parentId') ?? null,
    }),
});
