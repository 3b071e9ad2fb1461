import { pathBelow } from '../../store/path.ts';
import { movesAfter, type PathMove } from '../../store/path-move.ts';
import type { NodeRow } from '../../store/table.ts';
import {
  countMovedNodes,
  listIdsInPart,
  listPathMoves,
  listSmallSubtree,
  replacePathMoves,
  rewritePaths,
} from '../../store/tree/path-move.ts';
import { lockTree } from '../../store/tree/subtree.ts';
import { type Context, transact } from '../context.ts';
import { BITE_ROWS, type BiteOptions, inBites } from '../job/bite.ts';
import { enqueueRest } from '../job/enqueue.ts';

/**
 * Moves everything below a folder from one path to another. If that is many nodes, writes a row that readers consult,
 * and enqueues a job that rewrites the paths. Call it with the tree locked.
 */
export async function movePaths(
  ctx: Context,
  { id, path }: Pick<NodeRow, 'id' | 'path'>,
  toPath: string,
): Promise<void> {
  const moves = await listPathMoves(ctx.db);
  const [from, to] = [pathBelow({ id, path }), pathBelow({ id, path: toPath })];
  if (from === to) return;
  const small = await listSmallSubtree(ctx.db, moves, from, BITE_ROWS);
  for (const { part, ids } of small ?? []) {
    const actual = to + part.actual.slice(from.length);
    await rewritePaths(ctx.db, ids, { stored: part.prefix, actual });
  }
  const next = movesAfter(moves, { from, to, isWritten: small !== undefined });
  if (moves.length > 0 || next.length > 0) await replacePathMoves(ctx.db, next);
  if (small === undefined) await enqueueRest(ctx, 'move-subtree', {}, 'all');
}

/**
 * Rewrites the paths of all nodes below folders that have been moved, in small transactions. May be called again after
 * a crash: rows that have been rewritten are no longer found. Returns the number of nodes that this call has rewritten.
 */
export async function rewriteRest(ctx: Context, options: BiteOptions = {}): Promise<number> {
  const all = await countMovedNodes(ctx.db, await listPathMoves(ctx.db));
  const nodes = await inBites(options, all, (rowsMax) =>
    transact(ctx, (ctx) => rewriteBite(ctx, rowsMax)),
  );
  await ctx.pending.reload();
  if (nodes > 0) ctx.log.info({ nodes }, 'rewrote the paths of moved nodes');
  return nodes;
}

/** Rewrites the paths of up to `rowsMax` nodes. Returns their number: 0 once no move is in progress. */
export async function rewriteBite(ctx: Context, rowsMax: number): Promise<number> {
  // With the tree locked, nobody can add or move a node below a path that is about to end.
  await lockTree(ctx.db);
  const moves = longestFirst(await listPathMoves(ctx.db));
  let nodes = 0;
  while (nodes < rowsMax) {
    const [move] = moves;
    if (move === undefined) break;
    // No other move begins with the longest one.
    const part = { prefix: move.stored, except: [] };
    const ids = await listIdsInPart(ctx.db, part, rowsMax - nodes);
    await rewritePaths(ctx.db, ids, move);
    if (nodes + ids.length < rowsMax) {
      moves.shift();
      await replacePathMoves(ctx.db, moves);
    }
    nodes += ids.length;
  }
  return nodes;
}

function longestFirst(moves: readonly PathMove[]): PathMove[] {
  return [...moves].sort((a, b) => b.stored.length - a.stored.length);
}

/** Enqueues the job that rewrites paths if there are any and it is missing: an admin may have deleted it. */
export async function resumeMoves(ctx: Context): Promise<void> {
  const moves = await listPathMoves(ctx.db);
  if (moves.length > 0) await enqueueRest(ctx, 'move-subtree', {}, 'all');
}
