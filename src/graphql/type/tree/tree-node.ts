import type { Folder } from '../../../domain/tree/folder.ts';
import type { Media } from '../../../domain/tree/media.ts';
import { builder } from '../../builder.ts';

/** What folders and media have in common, for both to implement; `folder.ts` adds the folders above. */
export const TreeNodeRef = builder.interfaceRef<Folder | Media>('TreeNode');

TreeNodeRef.implement({
  description: 'A node of the folder tree: a folder or a media.',
  interfaces: [builder.nodeInterfaceRef()],
  resolveType: (node) => (node.type === 'folder' ? 'Folder' : 'Media'),
  fields: (t) => ({
    databaseId: t.exposeInt('id', { description: 'The number that older APIs know it by.' }),
    uuid: t.expose('uuid', { type: 'UUID', description: 'The same on every road.' }),
    name: t.exposeString('name', { description: 'Name in its folder; not unique.' }),
    level: t.exposeInt('level', { description: '1 at top level, 0 when unfiled.' }),
    sortOrder: t.exposeInt('sortOrder', { description: 'Place among its siblings, lowest first.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When it last changed.' }),
  }),
});

/** The connection of every list of folders and media together. */
export const TreeNodeConnection = builder.connectionObject({
  type: TreeNodeRef,
  name: 'TreeNodeConnection',
});
