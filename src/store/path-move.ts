import { type RawBuilder, sql } from 'kysely';
import { endOfPath } from './path.ts';

/**
 * A path prefix that rows still have, and the prefix that it stands for. Both end in the id of the same folder. A moved
 * subtree of many rows has one, until a job has rewritten the rows.
 */
export interface PathMove {
  stored: string;
  actual: string;
}

/** The moves in progress. The longest `stored` that a path begins with decides its meaning. */
export type PathMoves = readonly PathMove[];

/** Returns the current path for a stored one. A current path stands for itself. */
export function actualPath(moves: PathMoves, path: string): string {
  const move = moveOf(moves, path);
  return move === undefined ? path : move.actual + path.slice(move.stored.length);
}

/** Returns the row with its current path. */
export function withActualPath<Row extends object>(moves: PathMoves, row: Row): Row {
  const { path } = row as { path?: string };
  if (moves.length === 0 || path === undefined) return row;
  return { ...row, path: actualPath(moves, path) };
}

/** Returns the rows with their current paths. */
export function withActualPaths<Row extends object>(moves: PathMoves, rows: Row[]): Row[] {
  return moves.length === 0 ? rows : rows.map((row) => withActualPath(moves, row));
}

function moveOf(moves: PathMoves, path: string): PathMove | undefined {
  let longest: PathMove | undefined;
  for (const move of moves) {
    const isLonger = longest === undefined || move.stored.length > longest.stored.length;
    if (isLonger && path.startsWith(move.stored)) longest = move;
  }
  return longest;
}

/** A part of a subtree: the rows whose stored paths begin with `prefix`, but with none of `except`. */
export interface PathPart {
  prefix: string;
  except: readonly string[];
  /** What `prefix` stands for. */
  actual: string;
}

/** Returns the parts that hold all rows below a folder, given by its current path. Without moves it is one part. */
export function partsBelow(moves: PathMoves, below: string): PathPart[] {
  const parts = [];
  for (const move of [{ stored: '', actual: '' }, ...moves]) {
    const isInside = move.actual.startsWith(below);
    if (!isInside && !below.startsWith(move.actual)) continue;
    const prefix = isInside ? move.stored : move.stored + below.slice(move.actual.length);
    // Rows with this prefix may belong to a longer move.
    if ((moveOf(moves, prefix)?.stored ?? '') !== move.stored) continue;
    const except = moves.flatMap(({ stored }) =>
      stored.length > prefix.length && stored.startsWith(prefix) ? [stored] : [],
    );
    parts.push({ prefix, except, actual: isInside ? move.actual : below });
  }
  return parts;
}

/**
 * Returns the moves after the subtree at `from` has got the place `to`. With `isWritten` its rows have been rewritten
 * already; otherwise the new moves stand for that.
 */
export function movesAfter(
  moves: PathMoves,
  { from, to, isWritten }: { from: string; to: string; isWritten: boolean },
): PathMove[] {
  const others = moves.filter(({ actual }) => !actual.startsWith(from));
  if (isWritten) return others;
  const added = partsBelow(moves, from).map(({ prefix, actual }) => ({
    stored: prefix,
    actual: to + actual.slice(from.length),
  }));
  const needed: PathMove[] = [];
  for (const move of [...others, ...added].sort((a, b) => a.stored.length - b.stored.length)) {
    if (actualPath(needed, move.stored) !== move.actual) needed.push(move);
  }
  return needed;
}

/** Returns `the node is below this folder`, as ranges, which an index serves on both databases. */
export function isBelow(
  moves: PathMoves,
  below: string,
  column: RawBuilder<unknown> = sql`media.path`,
): RawBuilder<boolean> {
  const parts = partsBelow(moves, below).map((part) => isInPart(part, column));
  return parts.length === 1 ? sql`${parts[0]}` : sql`(${sql.join(parts, sql` or `)})`;
}

/** Returns `the node is in this part`. */
export function isInPart(
  { prefix, except }: Pick<PathPart, 'prefix' | 'except'>,
  column: RawBuilder<unknown> = sql`media.path`,
): RawBuilder<boolean> {
  const isOutside = except.map(
    (other) => sql` and (${column} < ${other} or ${column} >= ${endOfPath(other)})`,
  );
  const range = sql`${column} >= ${prefix} and ${column} < ${endOfPath(prefix)}`;
  return sql`(${range}${sql.join(isOutside, sql``)})`;
}
