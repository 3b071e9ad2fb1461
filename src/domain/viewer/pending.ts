import { setTimeout as sleep } from 'node:timers/promises';
import type { Db } from '../../store/db.ts';
import { listPending, type Pending } from '../../store/tree/deletion.ts';

/**
 * The deletions and large moves in progress, as this process knows them. When an operation has returned, no viewer sees
 * what it deletes, and every viewer sees the new place of what it moves. The list is kept in memory. It is almost always
 * empty, so it costs reads nothing.
 */
export interface PendingChanges {
  readonly current: Pending;
  /** Refreshes `current` if it is too old for a request that begins now. Never rejects. */
  refresh(): Promise<void>;
  /** Reads `current` from the database. */
  reload(): Promise<void>;
  /**
   * Reads `current` after a commit that has started a deletion or a move. Resolves when every process of the database uses it for
   * each request that begins from then on.
   */
  announce(): Promise<void>;
}

/** Maximum age of `current`. An operation that begins a deletion returns only after this time: see `announce`. */
const AGE_MAX_MS = 100;

/** Creates the list of one process. `isShared`: whether other processes may serve the same database. */
export function createPendingChanges({
  db,
  isShared,
}: {
  db: Db;
  isShared: boolean;
}): PendingChanges {
  let current: Pending = { subtrees: [], tagIds: new Set(), moved: [] };
  /** Time at which the load of `current` started. */
  let loadedAt = Number.NEGATIVE_INFINITY;
  let loading: { startedAt: number; done: Promise<void> } | undefined;

  async function load(startedAt: number): Promise<void> {
    const found = await listPending(db);
    // A load that started later may have ended first.
    if (startedAt < loadedAt) return;
    loadedAt = startedAt;
    current = found;
  }

  function reload(): Promise<void> {
    const startedAt = performance.now();
    const done = load(startedAt).finally(() => {
      if (loading?.startedAt === startedAt) loading = undefined;
    });
    loading = { startedAt, done };
    return done;
  }

  return {
    get current() {
      return current;
    },
    reload,
    async refresh() {
      const oldest = performance.now() - AGE_MAX_MS;
      if (!isShared || loadedAt > oldest) return;
      try {
        // One load at a time: each takes a connection, and a database that hangs ends none.
        if (loading !== undefined && loading.startedAt <= oldest) await loading.done;
        if (loadedAt > oldest) return;
        const isRecent = loading !== undefined && loading.startedAt > oldest;
        await (isRecent ? loading?.done : reload());
      } catch {
        // The request's own statements report that the database does not respond.
      }
    },
    async announce() {
      await reload();
      // Other processes reload their lists when they are this old.
      if (isShared) await sleep(1.2 * AGE_MAX_MS);
    },
  };
}
