import type { MoveConnection, MovedTable } from '../../store/relocation/connection.ts';
import { lockMove } from '../../store/relocation/lock.ts';
import { listMovedTables } from '../../store/relocation/moved-table.ts';
import { openMoveConnection } from '../../store/relocation/open-connection.ts';
import { type MovePlan, movesStagedRows } from './begin.ts';
import type { BlobMove } from './blobs.ts';
import { MoveError } from './error.ts';
import type { StagedMove } from './staged.ts';

/** Options of a move. */
export interface MoveOptions {
  /** Whether the source becomes writable again at the end, and keeps no trace of the move. */
  isSourceReleased: boolean;
  /** Interrupts the move, which can go on later. */
  signal: AbortSignal;
  onProgress: (progress: MoveProgress) => void;
}

/** How far a phase of a move is. */
export interface MoveProgress {
  phase: 'files' | 'rows' | 'changes' | 'last changes';
  /** The fraction that is done. */
  fraction: number;
}

/** The result of a move. */
export interface MoveResult {
  /** False: the move had ended before. */
  isNew: boolean;
  /** Rows of each table in the target. Empty if no rows move. */
  rows: Record<string, number>;
  /** Blobs that this run has copied. */
  copied: { count: number; sizeBytes: number };
  /** Open upload sessions whose staged bytes the target has. */
  uploads: number;
  /** Blobs of the target that were deleted, because their rows had been deleted since they were copied. */
  removed: number;
  /**
   * Blobs and staged bytes that are missing or damaged in the source, with the names of their files. The target does not
   * have them.
   */
  damaged: string[];
  /** Time for which the source refused changes until it was marked as moved. */
  readOnlyMs: number;
}

/** A run of the command: its connections and stores, and what it has done. */
export interface Run {
  plan: MovePlan;
  options: MoveOptions;
  tables: readonly MovedTable[];
  /** To the source, for marks. */
  marks: MoveConnection;
  /** To the source, for the timer that keeps it read-only. */
  lease: MoveConnection;
  /** To the source, for snapshots. */
  reader: MoveConnection;
  /** Null: no rows move, or the target has not been opened. */
  target: MoveConnection | null;
  /** Null: no bytes move, as below. */
  blobs: BlobMove | null;
  staged: StagedMove | null;
  result: MoveResult;
}

/** The source of a move, opened by one process at a time. */
export interface OpenSource {
  marks: MoveConnection;
  tables: readonly MovedTable[];
  /** Opens another connection, which is closed with the first. */
  open: () => Promise<MoveConnection>;
}

/** Runs `work` with the source of a move, as the only process that moves it. Throws MoveError if another one does. */
export async function withSource<T>(
  { url, name }: MovePlan['from']['database'],
  work: (source: OpenSource) => Promise<T>,
  hasStagedRows = false,
): Promise<T> {
  const connections: MoveConnection[] = [];
  const open = async () => {
    const connection = await openMoveConnection(url);
    connections.push(connection);
    return connection;
  };
  let unlock: (() => void) | null = null;
  try {
    const marks = await open();
    unlock = await lockMove(marks, url);
    if (unlock === null) throw new MoveError(`Another command is moving ${name}.`);
    return await work({ marks, tables: await listMovedTables(marks, hasStagedRows), open });
  } finally {
    unlock?.();
    for (const connection of connections) await connection.close();
  }
}

/** Runs `work` with the parts of a run. The target is not open yet: it may not exist. */
export function withRun<T>(
  plan: MovePlan,
  options: MoveOptions,
  work: (run: Run) => Promise<T>,
): Promise<T> {
  const runWith = async ({ marks, tables, open }: OpenSource) => {
    const [lease, reader] = [await open(), await open()];
    const result = emptyResult();
    const stores = storesOf(plan, options.signal, result);
    const run: Run = {
      plan,
      options,
      tables,
      marks,
      lease,
      reader,
      target: null,
      result,
      ...stores,
    };
    try {
      return await work(run);
    } finally {
      await run.target?.close();
    }
  };
  return withSource(plan.from.database, runWith, movesStagedRows(plan));
}

function emptyResult(): MoveResult {
  return {
    isNew: true,
    rows: {},
    copied: { count: 0, sizeBytes: 0 },
    uploads: 0,
    removed: 0,
    damaged: [],
    readOnlyMs: 0,
  };
}

function storesOf({ from, to, staging }: MovePlan, signal: AbortSignal, { copied }: MoveResult) {
  const damaged = new Set<string>();
  const blobs = from.storage &&
    to.storage && { from: from.storage.blobs, to: to.storage.blobs, copied, damaged, signal };
  if (staging === null) return { blobs, staged: null };
  const isSameRows = staging.from.name === staging.to.name;
  const objects = isSameRows ? blobs : null;
  const staged = { from: staging.from.staging, to: staging.to.staging, objects, signal };
  return { blobs, staged };
}
