import { type Dialect, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler } from 'kysely';
import { createDriver } from './driver.ts';
import { createPool, type PoolOptions } from './pool.ts';

/** Opens a pool of connections to a PostgreSQL database. */
export function postgresDialect(options: PoolOptions): Dialect {
  return {
    createDriver: () => createDriver(createPool(options)),
    createQueryCompiler: () => new NulFreeCompiler(),
    createAdapter: () => new PostgresAdapter(),
    createIntrospector: (db) => new PostgresIntrospector(db),
  };
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
