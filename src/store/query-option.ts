import type { CompiledQuery, Kysely, QueryId } from 'kysely';
import type { Database } from './table.ts';

/** Default time limit of a statement. */
export const STATEMENT_TIMEOUT_MS = 10_000;

/** The options with which a driver runs a query. */
export interface QueryOptions {
  /** Cancels the query when it aborts; a query that has not begun is not sent. */
  signal?: AbortSignal;
  /** Who waits for the query: a viewer or an address. Undefined for the server itself. */
  owner?: string | undefined;
  /** True for a query that may take longer than the statement timeout. */
  hasNoTimeout?: boolean;
}

/** Options by the id of their query, which stays the same from the builder to the driver. */
const OPTIONS = new WeakMap<QueryId, QueryOptions>();

/** Returns the same database, or the same transaction, whose queries run with these options. */
export function withQueryOptions(db: Kysely<Database>, options: QueryOptions): Kysely<Database> {
  return db.withPlugin({
    transformQuery: ({ node, queryId }) => {
      OPTIONS.set(queryId, { ...OPTIONS.get(queryId), ...options });
      return node;
    },
    transformResult: async ({ result }) => result,
  });
}

/** Returns the options of a query, for drivers. */
export function queryOptions({ queryId }: Pick<CompiledQuery, 'queryId'>): QueryOptions {
  return OPTIONS.get(queryId) ?? NONE;
}

const NONE: QueryOptions = {};

/** The queries whose plan a database may keep, by the part of them that copies share. */
const kept = new WeakSet<CompiledQuery['query']>();

/** Lets a database keep the plan of a query for all values of its parameters. */
export function keepPlan({ query }: CompiledQuery): void {
  kept.add(query);
}

/** Tells whether a database may keep the plan of a query. */
export function keepsPlan({ query }: CompiledQuery): boolean {
  return kept.has(query);
}
