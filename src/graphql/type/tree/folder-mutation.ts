import { ConflictError, FolderCycleError, NotFoundError } from '../../../domain/error.ts';
import {
  createFolder,
  deleteFolder,
  type Folder,
  updateFolder,
} from '../../../domain/tree/folder.ts';
import { moveNodes } from '../../../domain/tree/move.ts';
import type { TreeNode } from '../../../domain/tree/node-list.ts';
import { builder } from '../../builder.ts';
import { parseNodeId, parseNodeIds, parseOptionalNodeId } from '../../id.ts';
import { FolderRef } from './folder.ts';
import { TreeNodeRef } from './tree-node.ts';

const CreateFolderInput = builder.inputType('CreateFolderInput', {
  description: 'Input of `createFolder`.',
  fields: (t) => ({
    name: t.string({ required: true, description: '1 to 255 characters; need not be unique.' }),
    parentId: t.id({ description: 'The folder to make it in; without: top level.' }),
    sortOrder: t.int({ description: 'Place among its siblings; without: the last.' }),
  }),
});

const CreateFolderSuccess = builder.objectRef<{ folder: Folder }>('CreateFolderSuccess').implement({
  description: 'The folder was made.',
  fields: (t) => ({
    folder: t.expose('folder', { type: FolderRef, description: 'The new folder.' }),
  }),
});

builder.mutationField('createFolder', (t) =>
  t.field({
    type: CreateFolderSuccess,
    errors: { types: [NotFoundError] },
    description: 'Makes a folder. Needs the role editor.',
    args: { input: t.arg({ type: CreateFolderInput, required: true, description: 'The folder.' }) },
    resolve: async (_root, { input }, { domain }) => {
      const { name, sortOrder } = input;
      const parentId = parseOptionalNodeId('Folder', input.parentId, 'parentId') ?? null;
      return { folder: await createFolder(domain, { name, parentId, sortOrder }) };
    },
  }),
);

const UpdateFolderInput = builder.inputType('UpdateFolderInput', {
  description: 'Input of `updateFolder`: what is absent stays.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'The folder.' }),
    name: t.string({ description: '1 to 255 characters; need not be unique.' }),
    sortOrder: t.int({ description: 'Place among its siblings, lowest first.' }),
  }),
});

const UpdateFolderSuccess = builder.objectRef<{ folder: Folder }>('UpdateFolderSuccess').implement({
  description: 'The folder was changed.',
  fields: (t) => ({
    folder: t.expose('folder', { type: FolderRef, description: 'The folder as it is now.' }),
  }),
});

builder.mutationField('updateFolder', (t) =>
  t.field({
    type: UpdateFolderSuccess,
    errors: { types: [NotFoundError] },
    description: 'Renames a folder, or gives it another place. Its creator or an admin may.',
    args: { input: t.arg({ type: UpdateFolderInput, required: true, description: 'The change.' }) },
    resolve: async (_root, { input: { id, name, sortOrder } }, { domain }) => ({
      folder: await updateFolder(domain, parseNodeId('Folder', id, 'id'), {
        name: name ?? undefined,
        sortOrder: sortOrder ?? undefined,
      }),
    }),
  }),
);

const DeleteFolderInput = builder.inputType('DeleteFolderInput', {
  description: 'Input of `deleteFolder`.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'The folder.' }),
    recursive: t.boolean({
      defaultValue: false,
      description: 'True: with everything below it. Default false: only if it is empty.',
    }),
  }),
});

const DeleteFolderSuccess = builder.objectRef<{ id: string }>('DeleteFolderSuccess').implement({
  description: 'The folder is gone.',
  fields: (t) => ({ deletedId: t.exposeID('id', { description: 'Global id that it had.' }) }),
});

builder.mutationField('deleteFolder', (t) =>
  t.field({
    type: DeleteFolderSuccess,
    errors: { types: [NotFoundError, ConflictError] },
    description: 'Deletes a folder. The creator of all that goes, or an admin, may.',
    args: { input: t.arg({ type: DeleteFolderInput, required: true, description: 'Which one.' }) },
    resolve: async (_root, { input: { id, recursive } }, { domain }) => {
      await deleteFolder(domain, parseNodeId('Folder', id, 'id'), {
        recursive: recursive ?? false,
      });
      return { id };
    },
  }),
);

const MoveNodesInput = builder.inputType('MoveNodesInput', {
  description: 'Input of `moveNodes`.',
  fields: (t) => ({
    ids: t.idList({ required: true, description: 'Folders and media, 1 to 200.' }),
    parentId: t.id({ description: 'The folder to move them to; null: top level.' }),
  }),
});

const MoveNodesSuccess = builder.objectRef<{ nodes: TreeNode[] }>('MoveNodesSuccess').implement({
  description: 'All of them were moved.',
  fields: (t) => ({
    nodes: t.expose('nodes', {
      type: [TreeNodeRef],
      description: 'The nodes, in the order given.',
    }),
  }),
});

builder.mutationField('moveNodes', (t) =>
  t.field({
    type: MoveNodesSuccess,
    errors: { types: [NotFoundError, FolderCycleError] },
    description:
      'Moves folders, with all below them, and media to the end of a folder: all or nothing. The creator of each or an admin may.',
    args: {
      input: t.arg({ type: MoveNodesInput, required: true, description: 'What and where.' }),
    },
    resolve: async (_root, { input: { ids, parentId } }, { domain }) => ({
      nodes: await moveNodes(domain, {
        ids: parseNodeIds(['Folder', 'Media'], ids, 'ids'),
        parentId: parseOptionalNodeId('Folder', parentId, 'parentId') ?? null,
      }),
    }),
  }),
);
