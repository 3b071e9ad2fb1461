import type { NodeRow } from './table.ts';

/** A node with everything below it. */
export interface Subtree {
  id: number;
  /** `path` of the nodes directly in it. */
  below: string;
}

/** Returns the `path` of the nodes directly in a folder. */
export function pathBelow({ id, path }: Pick<NodeRow, 'id' | 'path'>): string {
  return `${path}${id}/`;
}

/** Returns the first text after all paths with this prefix: a path ends in `/`, and `0` is the next character. */
export function endOfPath(below: string): string {
  return `${below.slice(0, -1)}0`;
}
