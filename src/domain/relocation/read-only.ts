import { withTablesLocked } from '../../store/relocation/capture.ts';
import type { MoveConnection, MovedTable } from '../../store/relocation/connection.ts';
import { beginReadOnly, endReadOnly, extendReadOnly } from '../../store/relocation/mark.ts';

/** Time for which the source stays read-only if the command dies. */
export const LEASE_MS = 30_000;

const EXTENSION_MS = 5000;

/** The connections to the source: one of its own for each thing that goes on at once. */
export interface SourceConnections {
  marks: MoveConnection;
  lease: MoveConnection;
}

/**
 * Runs `work` while the source is read-only: each change by a server fails, and none is in progress any more. Afterwards
 * the source is writable again, unless `work` has marked it as moved.
 */
export async function withReadOnly<T>(
  { marks, lease }: SourceConnections,
  tables: readonly MovedTable[],
  work: () => Promise<T>,
): Promise<T> {
  await beginReadOnly(marks, LEASE_MS);
  let extending: Promise<unknown> = Promise.resolve();
  // A lease that has expired is noticed by `finishSource`.
  const timer = setInterval(() => {
    extending = extendReadOnly(lease, LEASE_MS).catch(() => undefined);
  }, EXTENSION_MS);
  try {
    // Transactions that began before have ended when this one has the locks.
    await withTablesLocked(marks, tables, 'share row exclusive', async () => undefined);
    return await work();
  } finally {
    clearInterval(timer);
    await extending;
    await endReadOnly(marks);
  }
}
