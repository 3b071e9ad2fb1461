/** Reads from a database without a wait, on this thread. */
export interface DirectReader {
  /** Returns undefined if an open transaction occupies the connection. */
  read: (sql: string, parameters: readonly unknown[]) => unknown[] | undefined;
}

/** What is faster on a database than Kysely alone. */
export interface FastPath {
  direct: DirectReader | undefined;
}

/** By the adapter of Kysely, which a database shares with its transactions. */
const fastPaths = new WeakMap<object, FastPath>();

/** Switches the fast path of a database on. */
export function addFastPath(adapter: object, fastPath: FastPath): void {
  fastPaths.set(adapter, fastPath);
}

/** Returns the fast path of a database; undefined if it is off. */
export function fastPathOf(adapter: object): FastPath | undefined {
  return fastPaths.get(adapter);
}
