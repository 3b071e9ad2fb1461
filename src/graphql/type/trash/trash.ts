import { ConflictError, NotFoundError } from '../../../domain/error.ts';
import { countTrash, listTrash } from '../../../domain/file/trash.ts';
import { deleteNodes } from '../../../domain/trash/delete-nodes.ts';
import { emptyTrash } from '../../../domain/trash/purge.ts';
import { restoreNodes } from '../../../domain/trash/restore.ts';
import { builder } from '../../builder.ts';
import { toConnection } from '../../connection.ts';
import { parseTreeIds } from '../../id.ts';
import { type InputFields, mutation } from '../../mutation.ts';
import { JobRef } from '../job/job.ts';
import { TreeNodeConnection, TreeNodeRef } from '../tree/tree-node.ts';

builder.queryField('trash', (t) =>
  t.connection(
    {
      type: TreeNodeRef,
      description:
        'Lists the folders and media in the trash, last deleted first. A deleted folder is one entry, with everything below it. A viewer sees the nodes that it created, also those in the deleted folder of another viewer; an admin sees what was deleted, whoever created it. Both see only nodes below their start nodes. Fails with `NOT_AUTHENTICATED` without a credential.',
      resolve: async (_root, page, { domain }) =>
        toConnection(await listTrash(domain, page), () => countTrash(domain)),
    },
    TreeNodeConnection,
  ),
);

const nodeIds = (t: InputFields, what: string) =>
  t.idList({
    required: true,
    description: `Global ids of the folders and media ${what}, 1 to 200.`,
  });

const OWN =
  'Requires the role `EDITOR` if the viewer created all of the nodes, and `ADMIN` otherwise. The error names the first node that failed.';

mutation('deleteNodes', {
  description: `Moves folders and media into the trash, or deletes them for ever. If one node cannot be deleted, nothing changes. ${OWN}`,
  errors: [NotFoundError, ConflictError],
  input: (t) => ({
    ids: nodeIds(t, 'to delete'),
    recursive: t.boolean({
      defaultValue: false,
      description:
        'Whether to delete everything below the folders too. If false and a folder is not empty, the mutation returns a `ConflictError` with the code `FOLDER_NOT_EMPTY`.',
    }),
    permanently: t.boolean({
      defaultValue: false,
      description:
        'Whether to delete the nodes for ever. The ids may then also be those of nodes in the trash.',
    }),
  }),
  success: { field: 'deletedIds', type: ['ID'], description: 'The `ids` of the input.' },
  resolve: async (domain, { ids, recursive, permanently }) => {
    await deleteNodes(domain, { ids: parseTreeIds(ids, 'ids'), recursive, permanently });
    return ids;
  },
});

mutation('restoreNodes', {
  description: `Takes folders and media out of the trash, with everything that was deleted together with a folder. They get back their place, tags, ids, files and URLs. If the folder that contained a node no longer exists, the node is put at the end of the nearest folder above that does, or of the top level. The contents of a large folder follow in a job. If one node cannot be restored, nothing changes: \`ConflictError\` has the code \`ALREADY_EXISTS\` if another media item has the \`File.resource\` of one by now. ${OWN}`,
  errors: [NotFoundError, ConflictError],
  input: (t) => ({ ids: nodeIds(t, 'to restore') }),
  success: {
    field: 'nodes',
    type: [TreeNodeRef],
    description: 'The restored nodes, in the order of `ids`.',
  },
  resolve: (domain, { ids }) => restoreNodes(domain, { ids: parseTreeIds(ids, 'ids') }),
});

mutation('emptyTrash', {
  description:
    'Starts a job that deletes for ever what the viewer sees in the trash. Requires the role `EDITOR`.',
  input: (t) => ({
    deletedBefore: t.field({
      type: 'DateTime',
      description: 'Deletes only what was deleted before this time. Defaults to now.',
    }),
  }),
  success: { field: 'job', type: JobRef, description: 'The job.' },
  resolve: (domain, input) => emptyTrash(domain, input),
});
