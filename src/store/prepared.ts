import {
  type Compilable,
  type CompiledQuery,
  createQueryId,
  type QueryResult,
  type RawBuilder,
} from 'kysely';
import type { Db } from './db.ts';
import { hasFastPath } from './fast-path.ts';
import { inline, inlineRead } from './inline.ts';
import { keepPlan } from './query-option.ts';
import { Slot, type ToSlot, toSlot } from './slot.ts';

/** A query that is built and compiled once for each of its texts. */
export interface Query<Args> {
  /** Returns the key: everything that the text of the query depends on. All other arguments must be slots. */
  keyOf: (args: Args) => string;
  /** Returns the bound of its look-ups: see `inline`. */
  lookupsOf: (args: Args) => number;
  /**
   * Whether it is a look-up by columns with an index, which has the same plan for all values. PostgreSQL then parses and
   * plans it once for each connection. (Default: false)
   */
  isLookup?: boolean;
  /** Builds the query for all arguments with the same key. */
  build: (db: Db, args: Args, slot: ToSlot<Args>) => Compilable<unknown>;
}

/** Returns the query of a text of SQL. */
export function compilable<Row>(db: Db, text: RawBuilder<Row>): Compilable<Row> {
  return { compile: () => text.compile(db) } as Compilable<Row>;
}

/** A prepared query. */
export interface Prepared<Args, Row> {
  /** Runs it: in the transaction, if `db` is one. */
  (db: Db, args: Args): Promise<Row[]>;
  /** Compiles it with its values, for `runTogether` and `checkWithNext`. */
  compile(db: Db, args: Args): CompiledQuery<Row>;
}

/**
 * Maximum number of kept texts of one query. Clients choose the columns, so without a limit they could fill the memory.
 */
const TEXTS_MAX = 200;

/**
 * Prepares a query: builds and compiles it at its first run for each key, and then only fills in the values. Building
 * and compiling takes Kysely 30 to 100 µs, more than SQLite takes for most reads. It runs as a query of `inline` does.
 */
export function prepared<Args, Row>({
  keyOf,
  lookupsOf,
  isLookup = false,
  build,
}: Query<Args>): Prepared<Args, Row> {
  const texts = new WeakMap<object, Map<string, CompiledQuery>>();
  const find = (db: Db, args: Args) => {
    const { adapter } = db.getExecutor();
    const known = texts.get(adapter) ?? new Map<string, CompiledQuery>();
    const key = keyOf(args);
    const kept = known.get(key);
    if (kept !== undefined) return kept;
    if (known.size >= TEXTS_MAX) known.clear();
    // Without the plugins of the first run, which hold the signal of its request.
    const compiled = build(db.withoutPlugins(), args, toSlot).compile();
    if (isLookup) keepPlan(compiled);
    known.set(key, compiled);
    texts.set(adapter, known);
    return compiled;
  };
  const fill = (db: Db, args: Args): CompiledQuery<Row> => {
    const compiled = find(db, args) as CompiledQuery<Row>;
    const parameters = compiled.parameters.map((value) =>
      value instanceof Slot ? value.read(args) : value,
    );
    return { ...compiled, parameters };
  };
  const run = async (db: Db, args: Args) => {
    const lookups = lookupsOf(args);
    if (!hasFastPath(db.getExecutor().adapter)) return buildAnew(inline(db, lookups), args);
    const compiled = fill(db, args);
    const read = inlineRead(db, lookups);
    return read === null
      ? (await execute(inline(db, lookups), compiled)).rows
      : (read(compiled).rows as Row[]);
  };
  return Object.assign(run, {
    compile: (db: Db, args: Args) =>
      hasFastPath(db.getExecutor().adapter)
        ? fill(db, args)
        : (build(db, args, (read) => read(args)).compile() as CompiledQuery<Row>),
  });

  /** Builds and runs a query as Kysely does, with its values instead of slots. */
  async function buildAnew(db: Db, args: Args): Promise<Row[]> {
    const { rows } = await db.executeQuery(build(db, args, (read) => read(args)));
    return rows as Row[];
  }
}

/** Runs a compiled query as one of its own, with the options that `db` gives its queries. */
export async function execute<Row>(
  db: Db,
  compiled: CompiledQuery<Row>,
): Promise<QueryResult<Row>> {
  const queryId = createQueryId();
  db.getExecutor().transformQuery(compiled.query, queryId);
  return db.executeQuery<Row>({ ...compiled, queryId });
}

/**
 * Prepares an insertion, whose text depends on the columns of the row only. `build` gets the row with a slot for each of
 * its values.
 */
export function insertion<Row extends object, Inserted>(
  build: (db: Db, row: Row) => Compilable<unknown>,
): Prepared<Row, Inserted> {
  return prepared<Row, Inserted>({
    keyOf: (row) => columnsOf(row).join(' '),
    // A change never runs on this thread.
    lookupsOf: () => Number.POSITIVE_INFINITY,
    build: (db, row, slot) => build(db, withSlots(row, slot)),
  });
}

function withSlots<Row extends object>(row: Row, slot: ToSlot<Row>): Row {
  return Object.fromEntries(
    columnsOf(row).map((column) => [column, slot((row) => row[column])]),
  ) as Row;
}

/** Returns the columns that have a value, which may be null. */
function columnsOf<Row extends object>(row: Row): (keyof Row & string)[] {
  const columns = Object.keys(row) as (keyof Row & string)[];
  return columns.filter((column) => row[column] !== undefined);
}
