import type { NodeRow } from '../../store/table.ts';
import type { Context } from '../context.ts';
import { scopeOf } from '../viewer/access.ts';

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
  createdAt: Date;
  updatedAt: Date;
}

/** Returns the fields that folders and media share. */
export function toNodeFields(row: NodeRow): NodeFields {
  // The path begins with the hidden root, which is never shown.
  const ancestorIds = row.path.split('/').slice(2, -1).map(Number);
  return {
    id: row.id,
    uuid: row.uuid,
    name: row.name,
    parentId: ancestorIds.at(-1) ?? null,
    ancestorIds,
    level: row.level,
    sortOrder: row.sort_order,
    createdAt: new Date(row.created_at),
    updatedAt: new Date(row.updated_at),
  };
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
