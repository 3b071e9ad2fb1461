import { FolderCycleError, NotFoundError } from '../../../domain/error.ts';
import { placeNodes } from '../../../domain/placement/place-nodes.ts';
import { parseOptionalNodeId, parseOptionalTreeId, parseTreeIds } from '../../id.ts';
import { mutation } from '../../mutation.ts';
import { TreeNodeRef } from './tree-node.ts';

mutation('placeNodes', {
  description:
    'Puts folders and media between two nodes of a folder, in the order of `ids`. They may come from other folders; a folder is moved with everything below it. Afterwards none of them has the same `sortOrder` as another node beside it: the server renumbers as few siblings as that needs, which keep their order and their `updatedAt`. If one node cannot be placed, nothing changes. If they have that place already, nothing changes either. Requires the role `EDITOR` if the viewer created all of the nodes, and `ADMIN` otherwise; the siblings may belong to others.',
  errors: [NotFoundError, FolderCycleError],
  inputNote:
    'Without `afterId` and `beforeId`, the nodes are put at the end of the folder. With one of them, it must be in the folder and not be one of `ids`.',
  input: (t) => ({
    ids: t.idList({
      required: true,
      description: 'Global ids of the folders and media to place, 1 to 200.',
    }),
    parentId: t.id({
      description:
        'Global id of the folder; null for the top level. Defaults to the folder of the given sibling; without one, to the folder that all of the nodes are in.',
    }),
    afterId: t.id({
      description: 'Global id of the folder or media item that the nodes are put directly after.',
    }),
    beforeId: t.id({
      description: 'Global id of the folder or media item that the nodes are put directly before.',
    }),
  }),
  success: {
    field: 'nodes',
    type: [TreeNodeRef],
    description: 'The placed nodes, in the order of `ids`.',
  },
  resolve: (domain, { ids, parentId, afterId, beforeId }) =>
    placeNodes(domain, {
      ids: parseTreeIds(ids, 'ids'),
      parentId: parentId === null ? null : parseOptionalNodeId('Folder', parentId, 'parentId'),
      afterId: parseOptionalTreeId(afterId, 'afterId'),
      beforeId: parseOptionalTreeId(beforeId, 'beforeId'),
    }),
});
