import { z } from 'zod';
import { withoutUndefined } from '../../lib/without-undefined.ts';
import { VISIBILITY } from '../../store/scope.ts';
import type { NodeColumns, NodeRow } from '../../store/table.ts';
import * as store from '../../store/tree/folder.ts';
import { insertNode, lockNode, updateNode } from '../../store/tree/node.ts';
import { type Context, transact } from '../context.ts';
import { nodeEvent } from '../event/event.ts';
import { displayName, parseInput } from '../input.ts';
import { computed, createRowReader, type Only, type RowReader } from '../row-reader.ts';
import { authorize, authorizeExisting, scopeOf } from '../viewer/access.ts';
import { changeDetails, type NewAuditEntry, recordAudit } from '../viewer/audit.ts';
import { checkQuota } from '../viewer/quota.ts';
import { NODE_FIELDS, type NodeFields, nodeTarget } from './node.ts';
import { placeIn } from './place.ts';
import { type Visibility, visibilityEntry, visibilityInput } from './visibility.ts';

/** A node of the tree that holds other nodes. */
export interface Folder extends NodeFields {
  type: 'folder';
}

/** The reader of folders. */
export const FOLDER: RowReader<NodeRow, Folder> = createRowReader<NodeRow, Folder>({
  ...NODE_FIELDS,
  type: computed([], () => 'folder'),
});

/** A key of a folder: exactly one of the fields. `path` consists of names, `/Design/Logos`. */
export type FolderBy = { id: number } | { uuid: string } | { path: string };

/** Returns the folder, or null if none exists that the viewer may see. */
export async function findFolder(
  ctx: Context,
  by: FolderBy,
  only?: Only<Folder>,
): Promise<Folder | null> {
  if (only !== undefined && 'id' in by) return (await foldersByIds(ctx, [by.id], only))[0] ?? null;
  const row = await findRow(ctx, by);
  return row ? toFolder(row) : null;
}

/** Returns those of the folders that exist and that the viewer may see, unordered. */
export async function foldersByIds(
  ctx: Context,
  ids: readonly number[],
  only?: Only<Folder>,
): Promise<Folder[]> {
  const { columns, convert } = FOLDER.part(only);
  return (await store.listFoldersByIds(ctx.db, scopeOf(ctx), ids, columns)).map(convert);
}

const createFolderInput = z.object({
  name: displayName(255),
  parentId: z.int().nullish(),
  sortOrder: z.int32().nullish(),
  /** The visibility of new media in it. Null: as in the folder above. */
  visibility: visibilityInput.nullish(),
});

/** Creates a folder, by default at the top level and after its siblings. Throws QuotaExceededError. */
export async function createFolder(
  ctx: Context,
  input: z.input<typeof createFolderInput>,
): Promise<Folder> {
  authorize(ctx, 'folder.create');
  const { name, parentId, sortOrder, visibility } = parseInput(createFolderInput, input);
  return transact(ctx, async (ctx) => {
    await checkQuota(ctx, { items: 1 });
    const place = await placeIn(ctx, parentId ?? store.ROOT_ID);
    const now = ctx.clock();
    const row = await insertNode(ctx.db, {
      ...place,
      uuid: ctx.newId(),
      type: 'folder',
      name,
      sort_order: sortOrder ?? place.sort_order,
      owner: ctx.viewer.id,
      client_hash: ctx.client?.hash ?? null,
      is_public: 0,
      items_visibility: toValue(visibility),
      created_at: now,
      updated_at: now,
    });
    await recordAudit(ctx, { action: 'create', target: nodeTarget(row) });
    ctx.events.publish(nodeEvent('created', row));
    return toFolder(row);
  });
}

const updateFolderInput = z.object({
  name: displayName(255).optional(),
  sortOrder: z.int32().optional(),
  /** The visibility of new media in it. Null: as in the folder above. */
  visibility: visibilityInput.nullish(),
});

/**
 * Changes the given fields. A new visibility is that of new media in the folder; those that exist keep theirs. Needs the
 * creator or an admin. Throws NotFoundError.
 */
export async function updateFolder(
  ctx: Context,
  id: number,
  input: z.input<typeof updateFolderInput>,
): Promise<Folder> {
  return transact(ctx, async (ctx) => {
    // Without the lock it could be deleted between the lines below.
    await lockNode(ctx.db, id);
    const before = await findOwnFolder(ctx, id);
    const { name, sortOrder, visibility } = parseInput(updateFolderInput, input);
    const items_visibility =
      visibility === undefined ? before.items_visibility : toValue(visibility);
    const columns = withoutUndefined({ name, sort_order: sortOrder });
    await recordAudit(ctx, ...changeEntries(before, columns, items_visibility));
    const row = await updateNode(ctx.db, scopeOf(ctx), id, {
      ...columns,
      items_visibility,
      updated_at: ctx.clock(),
    });
    ctx.events.publish(nodeEvent('updated', before));
    return toFolder(row);
  });
}

function changeEntries(
  before: NodeRow,
  columns: NodeColumns,
  visibility: number | null,
): NewAuditEntry[] {
  const target = nodeTarget(before);
  const details = changeDetails(before, columns);
  const isSame = visibility === before.items_visibility;
  return [
    ...(details === null ? [] : [{ action: 'update', target, details } as const]),
    ...(isSame ? [] : [visibilityEntry(target, before.items_visibility, visibility)]),
  ];
}

function toValue(visibility: Visibility | null | undefined): number | null {
  return visibility ? VISIBILITY[visibility] : null;
}

/** Converts a row of a folder. */
export function toFolder(row: NodeRow): Folder {
  return FOLDER.toObject(row);
}

async function findRow(ctx: Context, by: FolderBy): Promise<NodeRow | undefined> {
  const scope = scopeOf(ctx);
  if ('id' in by) return store.findFolderById(ctx.db, scope, by.id);
  if ('uuid' in by) return store.findFolderByUuid(ctx.db, scope, by.uuid.toLowerCase());
  return (await store.listFoldersByPath(ctx.db, scope, by.path))[0];
}

async function findOwnFolder(ctx: Context, id: number): Promise<NodeRow> {
  const found = await store.findFolderById(ctx.db, scopeOf(ctx), id);
  return authorizeExisting(ctx, 'folder.update', found, { noun: 'folder', id });
}
