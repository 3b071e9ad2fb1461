import type { NodeRow } from '../../store/table.ts';
import type { Context } from '../context.ts';
import { column, computed, type FieldsOfRow } from '../row-reader.ts';
import { scopeOf } from '../viewer/access.ts';
import type { AuditTarget } from '../viewer/audit.ts';

/** The fields that folders and media share. */
export interface NodeFields {
  id: number;
  uuid: string;
  name: string;
  /** Null: at top level, or unfiled. */
  parentId: number | null;
  /** Ids of the folders above it, from the top down. */
  ancestorIds: number[];
  /** 1 at top level, 0 if unfiled. */
  level: number;
  sortOrder: number;
  /** `Viewer.id` of the creator; null: anonymous. */
  owner: string | null;
  createdAt: Date;
  updatedAt: Date;
  /** Null, except for a node in the trash. */
  deletedAt: Date | null;
}

/** How the fields that folders and media share are read. */
export const NODE_FIELDS: FieldsOfRow<NodeRow, NodeFields> = {
  id: column('id'),
  uuid: column('uuid'),
  name: column('name'),
  parentId: computed(['path'], parentIdOf),
  ancestorIds: computed(['path'], ancestorIdsOf),
  level: computed(['path'], levelOf),
  sortOrder: column('sort_order'),
  owner: column('owner'),
  createdAt: computed(['created_at'], (row) => new Date(row.created_at)),
  updatedAt: computed(['updated_at'], (row) => new Date(row.updated_at)),
  deletedAt: computed(['deleted_at'], (row) => (row.deleted_at ? new Date(row.deleted_at) : null)),
};

/** Returns a node as the target of an entry in the audit log. */
export function nodeTarget({ id, type, name }: Pick<NodeRow, 'id' | 'type' | 'name'>): AuditTarget {
  return { kind: type === 'folder' ? 'folder' : 'media', id, name };
}

/** Returns the level of a node from its path: the column follows a large move only later. */
export function levelOf({ path }: Pick<NodeRow, 'path'>): number {
  return Math.max(0, path.split('/').length - 2);
}

/** Returns the last id of the path: lists read it for each item, and need no other. */
function parentIdOf({ path }: Pick<NodeRow, 'path'>): number | null {
  const start = path.lastIndexOf('/', path.length - 2) + 1;
  // The first id is that of the hidden root.
  return start <= 1 ? null : Number(path.slice(start, -1));
}

// The path begins with the hidden root, which is never shown.
function ancestorIdsOf({ path }: Pick<NodeRow, 'path'>): number[] {
  return path.split('/').slice(2, -1).map(Number);
}

/** Returns the folders above a node that the viewer may see, from the top down: none above a start node. */
export function visibleAncestorIds(
  ctx: Context,
  { ancestorIds }: Pick<NodeFields, 'ancestorIds'>,
): number[] {
  const { within, publicOnly } = scopeOf(ctx);
  if (publicOnly) return [];
  if (within === null) return ancestorIds;
  const starts = new Set(within.subtrees.map(({ id }) => id));
  const first = ancestorIds.findIndex((id) => starts.has(id));
  return first === -1 ? [] : ancestorIds.slice(first);
}

/** Returns the last of `visibleAncestorIds`: lists read it for each item. */
export function visibleParentId(
  ctx: Context,
  node: Pick<NodeFields, 'ancestorIds' | 'parentId'>,
): number | null {
  const { within, publicOnly } = scopeOf(ctx);
  if (publicOnly) return null;
  return within === null ? node.parentId : (visibleAncestorIds(ctx, node).at(-1) ?? null);
}
