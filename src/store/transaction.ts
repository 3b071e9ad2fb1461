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
  if (isOneMessage(db)) return sendTogether(db, queries);
  const results: QueryResult<unknown>[] = [];
  for (const query of queries) results.push(await execute(db, query));
  return results as ResultsOf<Queries>;
}

/**
 * Runs changes as `runTogether` does; without a transaction, in one of their own. On SQLite that takes one message, too,
 * which also commits.
 */
export function runAtOnce<Queries extends readonly [CompiledQuery, ...CompiledQuery[]]>(
  db: Db,
  queries: Queries,
): Promise<ResultsOf<Queries>> {
  return isRouted(db)
    ? sendTogether(db, queries)
    : inTransaction(db, (db) => runTogether(db, queries));
}

/** Runs a change of a transaction whose result nobody needs. On SQLite it travels as `checkWithNext` describes. */
export function runWithNext(db: Db, query: CompiledQuery): Promise<void> {
  return checkWithNext(db, query, () => undefined);
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

async function sendTogether<Queries extends readonly [CompiledQuery, ...CompiledQuery[]]>(
  db: Db,
  queries: Queries,
): Promise<ResultsOf<Queries>> {
  const { rows } = await db.executeQuery(new Together(queries));
  return rows as unknown as ResultsOf<Queries>;
}

function isOneMessage(db: Db): boolean {
  return db.isTransaction && isRouted(db);
}

function isRouted(db: Db): boolean {
  const { adapter } = db.getExecutor();
  return adapter instanceof RoutedAdapter && hasFastPath(adapter);
}
