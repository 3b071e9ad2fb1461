import { PostgresDialect, PostgresQueryCompiler } from 'kysely';
import pg from 'pg';

/** Opens a pool of connections to a PostgreSQL database. */
export function postgresDialect(url: string): PostgresDialect {
  const pool = new pg.Pool({
    connectionString: url,
    max: 10,
    types: {
      getTypeParser: (oid, format) => integerParser(oid) ?? pg.types.getTypeParser(oid, format),
    },
  });
  // Emitted for an idle connection that is lost; the pool opens another one. Without a listener it would end the
  // process.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => void client.query(STEADY_PLANS).catch(() => undefined));
  return new NulFreeDialect({ pool });
}

/**
 * Settings of each connection. Every statement has an index; wrong or missing statistics must not make PostgreSQL read
 * and sort a whole table, or a whole folder, instead, nor compile a short statement. A bitmap is still used where
 * nothing else serves: for words, and for `or`. A page of an index costs what it costs in memory.
 */
const STEADY_PLANS = `set enable_seqscan = off; set enable_bitmapscan = off; set random_page_cost = 1.1;
  set jit = off; set max_parallel_workers_per_gather = 0`;

/**
 * Replaces NUL in parameters by a noncharacter. PostgreSQL has no NUL in text, and fails even when one is only
 * searched for. No operation stores one, so that a search finds nothing, as on SQLite.
 */
class NulFreeDialect extends PostgresDialect {
  override createQueryCompiler(): PostgresQueryCompiler {
    return new NulFreeCompiler();
  }
}

class NulFreeCompiler extends PostgresQueryCompiler {
  protected override addParameter(parameter: unknown): void {
    super.addParameter(withoutNul(parameter));
  }
}

function withoutNul(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNul);
  return typeof value === 'string' ? value.replaceAll('\0', '\ufffe') : value;
}

/** Parses `bigint` and `numeric`, the types of `sum` and `count`, as numbers: no value of ours exceeds 2^53. */
function integerParser(oid: number): ((text: string) => number) | undefined {
  return oid === pg.types.builtins.INT8 || oid === pg.types.builtins.NUMERIC ? Number : undefined;
}
