import { type CompiledQuery, sql } from 'kysely';
import {
  countRows,
  type Keyset,
  listPage,
  type PageRequest,
  pageOf,
  type RowPage,
} from '../cursor.ts';
import type { Db } from '../db.ts';
import { dialectOf, isAnyOf } from '../dialect.ts';
import { listOfEach } from '../group.ts';
import { inline } from '../inline.ts';
import { execute, insertion, type Prepared } from '../prepared.ts';
import type { AuditRow, NewAuditRow } from '../table.ts';
import { runAtOnce, runWithNext } from '../transaction.ts';

const auditInsertion = insertion<NewAuditRow, never>((db, row) =>
  db.insertInto('audit_entry').values(row),
);

/**
 * Inserts entries, by one statement. In a transaction on SQLite, it travels with the next statement or the commit, which
 * throws its error then.
 */
export async function insertAudit(db: Db, rows: readonly NewAuditRow[]): Promise<void> {
  const [first, ...others] = rows;
  if (first === undefined) return;
  const query =
    others.length === 0
      ? auditInsertion.compile(db, first)
      : db
          .insertInto('audit_entry')
          .values([...rows])
          .compile();
  await runWithNext(db, query);
}

/** An entry about a row that is inserted together with it, and whose id is not known yet. */
export type NewRowEntry = Omit<NewAuditRow, 'id' | 'target_id'>;

/** The insertion of an entry about a media item that the same transaction inserts, given by its uuid. */
export const newMediaAuditInsertion = insertion<NewRowEntry & { media_uuid: string }, never>(
  (db, { media_uuid, ...entry }) => {
    const target_id = sql<number>`(select id from media where uuid = ${media_uuid})`;
    return db.insertInto('audit_entry').values({ ...entry, target_id });
  },
);

/** The insertion of an entry about the row that the statement before it has inserted, on SQLite. */
const lastRowAuditInsertion = insertion<NewRowEntry, never>((db, entry) =>
  db.insertInto('audit_entry').values({ ...entry, target_id: sql<number>`last_insert_rowid()` }),
);

/**
 * Inserts a row with an entry about it, as cheaply as the row alone: on SQLite by one message, on PostgreSQL by one
 * statement. Returns what the insertion of the row returns.
 */
export async function insertWithEntry<New, Row extends { id: number }>(
  db: Db,
  rowInsertion: Prepared<New, Row>,
  row: New,
  entry: NewRowEntry,
): Promise<Row[]> {
  const inserted = rowInsertion.compile(db, row);
  if (dialectOf(db) === 'postgres') return (await execute(db, withEntry(db, inserted, entry))).rows;
  const queries = [inserted, lastRowAuditInsertion.compile(db, entry)] as const;
  const [{ rows }] = await runAtOnce(db, queries);
  return rows;
}

/** Wraps the insertion of a row into a statement that also inserts an entry about it. */
function withEntry<Row>(
  db: Db,
  { sql: text, parameters }: CompiledQuery<Row>,
  entry: NewRowEntry,
): CompiledQuery<Row> {
  const columns = Object.keys(entry) as (keyof NewRowEntry)[];
  const values = columns.map((_, index) => `$${parameters.length + 1 + index}`);
  const names = columns.map((column) => `"${column}"`);
  const statement = `with inserted as (${text}), entry as (
    insert into audit_entry (${names}, target_id) select ${values}, id from inserted)
    select * from inserted`;
  const compiled = sql<Row>`${sql.raw(statement)}`.compile(db);
  return { ...compiled, parameters: [...parameters, ...columns.map((column) => entry[column])] };
}

/** The filter of the log: an entry has to match every given field. */
export interface AuditFilter {
  actorId?: string | undefined;
  action?: string | undefined;
  target?: { kind: string; id: number } | undefined;
  /** Milliseconds since 1970, both ends included. */
  from?: number | undefined;
  to?: number | undefined;
}

/** Returns one page of the log. */
export function listAudit(
  db: Db,
  filters: readonly AuditFilter[],
  keyset: Keyset,
  page: PageRequest,
): Promise<RowPage<AuditRow>> {
  return listPage(filtered(db, filters).selectAll(), keyset, page);
}

/** Returns the number of entries that match the filters. */
export function countAudit(db: Db, filters: readonly AuditFilter[]): Promise<number> {
  return countRows(filtered(db, filters));
}

/** Returns one page of the entries about each media item, in one statement. Every media item has a page. */
export function listAuditOfMedias(
  db: Db,
  mediaIds: readonly number[],
  keyset: Keyset,
  page: PageRequest,
): Promise<Map<number, RowPage<AuditRow>>> {
  const members = db
    .selectFrom('audit_entry')
    .where(sql<boolean>`target_id = part.value and target_kind = 'media'`)
    .select('audit_entry.id');
  const ids = pageOf(members, keyset, page);
  return listOfEach(inline(db, mediaIds.length * page.limit), 'audit_entry', ids, mediaIds, {
    keyset,
    page,
  });
}

/** Returns the number of entries about each media item; one without entries is not in the map. */
export async function countAuditOfMedias(
  db: Db,
  mediaIds: readonly number[],
): Promise<Map<number, number>> {
  const rows = await db
    .selectFrom('audit_entry')
    .where(isAnyOf(db, 'target_id', mediaIds))
    .where('target_kind', '=', 'media')
    .select(['target_id', (eb) => eb.fn.countAll<number>().as('count')])
    .groupBy('target_id')
    .execute();
  return new Map(rows.map(({ target_id, count }) => [Number(target_id), Number(count)]));
}

/** Deletes up to `limit` of the entries from before that time, the oldest first. Returns their number. */
export async function deleteAuditBefore(
  db: Db,
  { before, limit }: { before: number; limit: number },
): Promise<number> {
  const old = db
    .selectFrom('audit_entry')
    .where('at', '<', before)
    .orderBy('at')
    .orderBy('id')
    .select('id')
    .limit(limit);
  const { numDeletedRows } = await db
    .deleteFrom('audit_entry')
    .where('id', 'in', old)
    .executeTakeFirst();
  return Number(numDeletedRows);
}

function filtered(db: Db, filters: readonly AuditFilter[]) {
  let query = db.selectFrom('audit_entry');
  for (const { actorId, action, target, from, to } of filters) {
    if (actorId !== undefined) query = query.where('actor_id', '=', actorId);
    if (action !== undefined) query = query.where('action', '=', action);
    if (target !== undefined) {
      query = query.where('target_id', '=', target.id).where('target_kind', '=', target.kind);
    }
    if (from !== undefined) query = query.where('at', '>=', from);
    if (to !== undefined) query = query.where('at', '<=', to);
  }
  return query;
}
