import type { CompiledQuery, QueryResult } from 'kysely';
import type { Db } from './db.ts';
import { hasFastPath } from './fast-path.ts';
import { execute } from './prepared.ts';
import { RoutedAdapter } from './sqlite/kysely.ts';
import { Check, Together } from './sqlite/routing.ts';

/**
 * Runs work in a transaction, or in the one that `db` already is, so that operations compose. Rolls back if the work
 * throws. Use only the `db` that is passed in: on SQLite, which has one connection, the outer one would wait for
 * ever; on PostgreSQL it would be outside the transaction.
 */
export function inTransaction<T>(db: Db, work: (db: Db) => Promise<T>): Promise<T> {
  return db.isTransaction ? work(db) : db.transaction().execute(work);
}

/** The result of each of several queries. */
type ResultsOf<Queries> = {
  [K in keyof Queries]: Queries[K] extends CompiledQuery<infer Row> ? QueryResult<Row> : never;
};

/**
 * Runs queries of a transaction in their order, none of which needs the result of another. Returns the result of each.
 * On SQLite they travel to the thread that writes by one message: each message costs more than most statements. If one
 * fails, those after it do not run.
 */
export async function runTogether<Queries extends readonly [CompiledQuery, ...CompiledQuery[]]>(
  db: Db,
  queries: Queries,
): Promise<ResultsOf<Queries>> {
  if (isOneMessage(db)) {
    const { rows } = await db.executeQuery(new Together(queries));
    return rows as unknown as ResultsOf<Queries>;
  }
  const results: QueryResult<unknown>[] = [];
  for (const query of queries) results.push(await execute(db, query));
  return results as ResultsOf<Queries>;
}

/**
 * Runs a query of a transaction, and `check` with its rows; `check` throws to stop the transaction. On SQLite the query
 * travels with the next one, or with the commit, which then throws the error. The query sees no later change.
 */
export async function checkWithNext<Row>(
  db: Db,
  query: CompiledQuery<Row>,
  check: (rows: Row[]) => void,
): Promise<void> {
  if (isOneMessage(db)) await db.executeQuery(new Check(query, check as (rows: unknown[]) => void));
  else check((await execute(db, query)).rows);
}

function isOneMessage(db: Db): boolean {
  const { adapter } = db.getExecutor();
  return db.isTransaction && adapter instanceof RoutedAdapter && hasFastPath(adapter);
}
