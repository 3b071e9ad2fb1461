import type { Compilable, CompiledQuery, RawBuilder } from 'kysely';
import type { Db } from './db.ts';
import { fastPathOf } from './fast-path.ts';
import { Slot, type ToSlot, toSlot } from './slot.ts';

/** A query that is built and compiled once for each of its texts. */
export interface Query<Args> {
  /** Returns what the text of the query depends on. Every other part of the arguments has to be a slot. */
  keyOf: (args: Args) => string;
  /** Builds the query for all arguments with the same key. */
  build: (db: Db, args: Args, slot: ToSlot<Args>) => Compilable<unknown>;
}

/** Returns the query of a text of SQL. */
export function compilable<Row>(db: Db, text: RawBuilder<Row>): Compilable<Row> {
  return { compile: () => text.compile(db) } as Compilable<Row>;
}

/** Runs a prepared query: in the transaction, if `db` is one. */
export type Run<Args, Row> = (db: Db, args: Args) => Promise<Row[]>;

/**
 * The most texts of one query that are kept. Clients choose columns: without a limit, they could fill the memory.
 */
const TEXTS_MAX = 200;

/**
 * Prepares a query: builds and compiles it at its first run for each key, and then only fills in the values. Building
 * and compiling takes Kysely 30 to 100 µs, more than SQLite takes for most reads. Only for reads with a bound on their
 * work: on SQLite, they run on the thread that serves everyone.
 */
export function prepared<Args, Row>({ keyOf, build }: Query<Args>): Run<Args, Row> {
  const texts = new WeakMap<object, Map<string, CompiledQuery>>();
  const compile = (db: Db, args: Args) => build(db, args, toSlot).compile();
  const find = (db: Db, adapter: object, args: Args) => {
    const known = texts.get(adapter) ?? new Map<string, CompiledQuery>();
    const key = keyOf(args);
    const kept = known.get(key);
    if (kept !== undefined) return kept;
    if (known.size >= TEXTS_MAX) known.clear();
    const compiled = compile(db, args);
    known.set(key, compiled);
    texts.set(adapter, known);
    return compiled;
  };
  return async (db, args) => {
    const { adapter } = db.getExecutor();
    const fastPath = fastPathOf(adapter);
    const compiled = fastPath === undefined ? compile(db, args) : find(db, adapter, args);
    const parameters = compiled.parameters.map((value) =>
      value instanceof Slot ? value.read(args) : value,
    );
    const direct = db.isTransaction ? undefined : fastPath?.direct?.read(compiled.sql, parameters);
    if (direct !== undefined) return direct as Row[];
    const { rows } = await db.executeQuery({ ...compiled, parameters });
    return rows as Row[];
  };
}
