import { setTimeout as sleep } from 'node:timers/promises';
import type { Db } from '../../store/db.ts';
import { type Deleted, listDeleted } from '../../store/tree/deletion.ts';

/**
 * What jobs delete at the moment, as this process knows it. No viewer sees any of it, from the moment at which the
 * operation that deletes it returns. Almost always nothing, so that reads do not pay for it: they do not ask the
 * database.
 */
export interface Deletions {
  readonly current: Deleted;
  /** Makes `current` recent enough for a request that begins now. Never rejects. */
  refresh(): Promise<void>;
  /** Reads `current` from the database. */
  reload(): Promise<void>;
  /**
   * Reads `current` after a commit that has started a deletion. Resolves when each process of the database has it for all
   * requests that begin from then on.
   */
  announce(): Promise<void>;
}

/** Another process may have started a deletion this long ago, and not have returned yet. */
const AGE_MAX_MS = 100;

/** Creates the knowledge of one process. `isShared`: other processes may serve the same database. */
export function createDeletions({ db, isShared }: { db: Db; isShared: boolean }): Deletions {
  let current: Deleted = { subtrees: [], tagIds: new Set() };
  /** The start of the load that `current` comes from. */
  let loadedAt = Number.NEGATIVE_INFINITY;
  let loading: { startedAt: number; done: Promise<void> } | undefined;

  async function load(startedAt: number): Promise<void> {
    const found = await listDeleted(db);
    // A later load may have ended before this one.
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
      const recent = loading !== undefined && loading.startedAt > oldest ? loading.done : reload();
      // The request's own statements report a database that does not respond.
      await recent.catch(() => undefined);
    },
    async announce() {
      await reload();
      // Other processes ask again when what they know is this old.
      if (isShared) await sleep(1.2 * AGE_MAX_MS);
    },
  };
}
