import { type Dialect, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler } from 'kysely';
import type { ConnectionUse } from '../sqlite/pool.ts';
import { createDriver } from './driver.ts';
import { createPool, type PoolOptions } from './pool.ts';

/** Opens a pool of connections to a PostgreSQL database. */
export function postgresDialect(options: PoolOptions): Dialect {
  const pool = createPool(options);
  return {
    createDriver: () => createDriver(pool),
    createQueryCompiler: () => new NulFreeCompiler(),
    createAdapter: () => new PooledAdapter(pool.use),
    createIntrospector: (db) => new PostgresIntrospector(db),
  };
}

/** Knows the use of the pool: Kysely keeps its adapter in everything that it derives. */
export class PooledAdapter extends PostgresAdapter {
  readonly use: () => ConnectionUse;

  constructor(use: () => ConnectionUse) {
    super();
    this.use = use;
  }
}

/**
 * Replaces NUL in parameters by a noncharacter. PostgreSQL has no NUL in text, and fails even when one is only
 * searched for. No operation stores one, so that a search finds nothing, as on SQLite.
 */
class NulFreeCompiler extends PostgresQueryCompiler {
  protected override addParameter(parameter: unknown): void {
    super.addParameter(withoutNul(parameter));
  }
}

function withoutNul(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNul);
  return typeof value === 'string' ? value.replaceAll('\0', '\ufffe') : value;
}
