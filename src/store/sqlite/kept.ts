import { LRUCache } from 'lru-cache';
import type { Db } from '../db.ts';
import { hasFastPath } from '../fast-path.ts';
import { dataVersion } from '../inline.ts';
import type { Prepared } from '../prepared.ts';

/** Rows of one database, and the version of the database that they were read from. */
interface Kept<Row> {
  version: number;
  rows: LRUCache<string, readonly Row[]>;
}

/** Number of keys whose rows are kept: about a MiB. */
const KEYS_MAX = 1000;

/**
 * Keeps the rows of a look-up for as long as nobody, in whichever process, changes anything in the database. SQLite
 * knows in 5 µs whether anybody has; most look-ups take it ten times as long, most of that for the values of the rows.
 * PostgreSQL would need a statement for it, as for the look-up itself, so there each look-up runs. Nobody may change
 * the rows. `keyOf` returns a text that differs for different arguments.
 */
export function kept<Args, Row extends object>(
  lookUp: Prepared<Args, Row>,
  keyOf: (args: Args) => string,
): (db: Db, args: Args) => Promise<readonly Row[]> {
  const byAdapter = new WeakMap<object, Kept<Row>>();
  return async (db, args) => {
    const { adapter } = db.getExecutor();
    const version = hasFastPath(adapter) ? dataVersion(db) : null;
    if (version === null) return lookUp(db, args);
    let kept = byAdapter.get(adapter);
    if (kept?.version !== version) {
      kept = { version, rows: new LRUCache({ max: KEYS_MAX }) };
      byAdapter.set(adapter, kept);
    }
    const key = keyOf(args);
    const known = kept.rows.get(key);
    if (known !== undefined) return known;
    // Read after the version: if there is a change in between, the next call finds another version.
    const rows = await lookUp(db, args);
    kept.rows.set(key, rows);
    return rows;
  };
}
