import DataLoader from 'dataloader';
import { ConflictError, NotFoundError } from '../../../domain/error.ts';
import { QuotaExceededError } from '../../../domain/storage-error.ts';
import { deleteFolder } from '../../../domain/tree/deletion.ts';
import {
  createFolder,
  type Folder,
  findFolder,
  foldersByIds,
  updateFolder,
} from '../../../domain/tree/folder.ts';
import { type NodeFields, visibleAncestorIds, visibleParentId } from '../../../domain/tree/node.ts';
import {
  folderSettings,
  type InheritedVisibility,
  resolveVisibility,
  type Visibility,
} from '../../../domain/tree/visibility.ts';
import { builder } from '../../builder.ts';
import { parseNodeId, parseOptionalNodeId } from '../../id.ts';
import { identifierInput, objectQuery } from '../../identifier.ts';
import { nodeLoader, nodeOptions, perRequest } from '../../loader.ts';
import { createLookup, withId } from '../../lookup.ts';
import { mutation } from '../../mutation.ts';
import { visibilityInTrash } from './trashed.ts';
import { TreeNodeRef } from './tree-node.ts';
import { VisibilityEnum } from './visibility.ts';

const foundSettings = createLookup<Visibility | null>({
  loader: perRequest(
    ({ domain }) =>
      new DataLoader(async (ids) => {
        const settings = await folderSettings(domain, ids);
        return ids.map((id) => settings.get(id) ?? null);
      }),
  ),
  load: folderSettings,
  absent: null,
});

/** Returns the options of a field that depends on the visibility that a folder gives. */
const inherited = <Value>(read: (inherited: InheritedVisibility) => Value) =>
  foundSettings({
    needs: ['id', 'ancestorIds'],
    keysOf: ({ id, ancestorIds }: Folder) => [...ancestorIds, id],
    valueOf: (settings, folder, { domain }) => {
      // A folder in the trash is not among the folders that exist.
      const own = visibilityInTrash(folder);
      const all = own === undefined ? settings : [...settings.slice(0, -1), own];
      return read(resolveVisibility(domain, all));
    },
  });

const folderLoader = nodeLoader(foldersByIds);

/** A folder of the tree. */
export const FolderRef = builder.nodeRef('Folder', nodeOptions(folderLoader));

FolderRef.implement({
  description: 'A folder of the tree.',
  interfaces: [TreeNodeRef],
  fields: (t) => ({
    visibility: t.field({
      type: VisibilityEnum,
      description:
        'Visibility that new media in the folder get: the one set for the folder, else for the nearest folder above it, else the setting `TRIVIUM_VISIBILITY_DEFAULT`.',
      ...inherited(({ visibility }) => visibility),
    }),
    isVisibilityInherited: t.field({
      type: 'Boolean',
      description: 'Whether no `visibility` is set for this folder itself.',
      ...inherited(({ isInherited }) => isInherited),
    }),
  }),
});

/** The connection of every list of folders. */
export const FolderConnection = builder.connectionObject({
  type: FolderRef,
  name: 'FolderConnection',
});

const foundFolders = createLookup<Folder | null>({
  loader: folderLoader,
  load: async (ctx, ids, only) =>
    new Map((await foldersByIds(ctx, ids, withId(only))).map((folder) => [folder.id, folder])),
  absent: null,
});

/** Options of a field that is the folder that contains a node; null if there is none that the viewer may see. */
export const parent = foundFolders({
  needs: ['ancestorIds', 'parentId'],
  keysOf: (node: NodeFields, { domain }) => {
    const id = visibleParentId(domain, node);
    return id === null ? [] : [id];
  },
  valueOf: ([folder = null]) => folder,
});

builder.interfaceFields(TreeNodeRef, (t) => ({
  parent: t.field({
    type: FolderRef,
    nullable: true,
    description:
      'Folder that contains the node. Null at the top level, for an unfiled media item, and for a start node of the viewer.',
    ...parent,
  }),
  ancestors: t.field({
    type: [FolderRef],
    description: 'Folders above the node, from the top level down.',
    ...foundFolders({
      needs: ['ancestorIds'],
      keysOf: (node: NodeFields, { domain }) => visibleAncestorIds(domain, node),
      valueOf: (folders) => folders.filter((folder) => folder !== null),
    }),
  }),
}));

const FolderBy = identifierInput('FolderBy', 'folder', (t) => ({
  databaseId: t.int({ description: 'Numeric id of the folder.' }),
  uuid: t.field({ type: 'UUID', description: 'UUID of the folder.' }),
  path: t.string({
    description:
      'Path of the folder: folder names from the top level down, as in `/Design/Logos`. If several folders have this path, one of them is returned.',
  }),
}));

objectQuery('folder', {
  type: FolderRef,
  by: FolderBy,
  noun: 'folder',
  description: 'Returns a folder; null if it does not exist or the viewer may not see it.',
  find: (domain, by, only) => findFolder(domain, toFolderBy(by), only),
});

function toFolderBy(by: typeof FolderBy.$inferInput) {
  if (by.uuid) return { uuid: by.uuid };
  if (by.path !== null && by.path !== undefined) return { path: by.path };
  return { id: parseOptionalNodeId('Folder', by.id, 'id') ?? by.databaseId ?? 0 };
}

mutation('createFolder', {
  description: 'Creates a folder. Requires the role `EDITOR`.',
  errors: [NotFoundError, QuotaExceededError],
  input: (t) => ({
    name: t.string({
      required: true,
      description: 'Name, 1 to 255 characters. Several folders may have the same name.',
    }),
    parentId: t.id({
      description: 'Global id of the parent folder. Defaults to the top level.',
    }),
    sortOrder: t.int({
      description:
        'Position among the nodes of the same folder, lowest first. Defaults to the last position.',
    }),
    visibility: t.field({
      type: VisibilityEnum,
      description:
        'Visibility that new media in the folder get. Defaults to that of the folder above, also when it changes.',
    }),
  }),
  success: { field: 'folder', type: FolderRef, description: 'The new folder.' },
  resolve: (domain, { name, parentId, sortOrder, visibility }) =>
    createFolder(domain, {
      name,
      visibility,
      parentId: parseOptionalNodeId('Folder', parentId, 'parentId') ?? null,
      sortOrder,
    }),
});

mutation('updateFolder', {
  description:
    'Changes a folder. Requires the role `EDITOR` if the viewer created the folder, and `ADMIN` otherwise.',
  errors: [NotFoundError],
  inputNote:
    'Omitted fields stay unchanged. Null leaves `name` and `sortOrder` unchanged, and makes the folder inherit its `visibility`.',
  input: (t) => ({
    id: t.id({ required: true, description: 'Global id of the folder.' }),
    name: t.string({
      description: 'Name, 1 to 255 characters. Several folders may have the same name.',
    }),
    sortOrder: t.int({ description: 'Position among the nodes of the same folder, lowest first.' }),
    visibility: t.field({
      type: VisibilityEnum,
      description:
        'Visibility that new media in the folder get, and in the folders below it that have none of their own. Media that exist keep theirs.',
    }),
  }),
  success: { field: 'folder', type: FolderRef, description: 'The changed folder.' },
  resolve: (domain, { id, name, sortOrder, visibility }) =>
    updateFolder(domain, parseNodeId('Folder', id, 'id'), {
      visibility,
      name: name ?? undefined,
      sortOrder: sortOrder ?? undefined,
    }),
});

mutation('deleteFolder', {
  description:
    'Moves a folder into the trash, with everything below it, whoever created it. When the mutation returns, no list or file URL shows any of it. `restoreNodes` brings it back; after `TRIVIUM_TRASH_DAYS` it is deleted for ever. Requires the role `EDITOR` if the viewer created the folder, and `ADMIN` otherwise.',
  errors: [NotFoundError, ConflictError],
  input: (t) => ({
    id: t.id({ required: true, description: 'Global id of the folder.' }),
    recursive: t.boolean({
      defaultValue: false,
      description:
        'Whether to delete everything below the folder too. If false and the folder is not empty, the mutation returns a `ConflictError` with the code `FOLDER_NOT_EMPTY`. Private media that the viewer may not see do not count: they become unfiled.',
    }),
  }),
  success: { field: 'deletedId', type: 'ID', description: 'Global id of the deleted folder.' },
  resolve: async (domain, { id, recursive }) => {
    const folderId = parseNodeId('Folder', id, 'id');
    await deleteFolder(domain, folderId, { recursive: recursive ?? false });
    return id;
  },
});
