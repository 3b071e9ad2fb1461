import { z } from 'zod';
import type { NodeRow } from '../../store/table.ts';
import { NotFoundError } from '../error.ts';
import { forOne } from '../one-of-many.ts';

/** A node as a client names it. Its id alone also names a node of the other kind: folders and media share their ids. */
export interface NodeKey {
  id: number;
  /** Null: either kind. */
  kind: 'folder' | 'media' | null;
}

const id = z.int().positive();

/** The schema of one node, as an id or a key. */
export const nodeKey = z.union([
  id.transform((id): NodeKey => ({ id, kind: null })),
  z.object({ id, kind: z.enum(['folder', 'media']) }),
]);

/** The schema of the nodes that an operation changes, 1 to 200, as ids or keys. Duplicates are removed. */
export const someNodes = z
  .array(nodeKey)
  .min(1, 'Expected at least one id.')
  .max(200, 'At most 200 ids.')
  .transform((keys): NodeKey[] => [
    ...new Map(keys.map((key) => [`${key.kind} ${key.id}`, key])).values(),
  ]);

/** Returns the ids of nodes, each once, in their order. */
export function idsOfKeys(keys: readonly NodeKey[]): number[] {
  return [...new Set(keys.map(({ id }) => id))];
}

/**
 * Returns the row of each node, in the order of the keys. `check` throws for a row that may not be used. Throws for the
 * first node that fails: NotFoundError for one without a row, or of the other kind.
 */
export function rowsOfKeys<Row extends Pick<NodeRow, 'id' | 'type'>>(
  keys: readonly NodeKey[],
  rows: ReadonlyMap<number, Row>,
  check: (row: Row) => void = () => undefined,
): Row[] {
  const found = keys.map(({ id, kind }) =>
    forOne({ id, kind }, () => {
      const row = rows.get(id);
      if (row === undefined || !isOfKind(row, kind)) throw new NotFoundError('node', id);
      check(row);
      return row;
    }),
  );
  return [...new Set(found)];
}

/** Tells whether a row is of the kind that a key names. */
export function isOfKind({ type }: Pick<NodeRow, 'type'>, kind: NodeKey['kind']): boolean {
  return kind === null || (kind === 'folder') === (type === 'folder');
}
