import { type RawBuilder, sql } from 'kysely';
import { type Columns, type RowOf, withColumns } from '../columns.ts';
import {
  type Keyset,
  type PageRequest,
  pageKey,
  pageSlots,
  type RowPage,
  toRowPage,
} from '../cursor.ts';
import type { Db } from '../db.ts';
import { listOfEach, type PagesRequest, rowsOfPages, toPages } from '../group.ts';
import { withActualPaths } from '../path-move.ts';
import { type JsonGroup, jsonOfEach, valuesOf } from '../plan.ts';
import { compilable, prepared } from '../prepared.ts';
import type { Scope } from '../scope.ts';
import type { NodeRow } from '../table.ts';
import { CANDIDATES_MAX, candidatesBeside, idsOfPage, withWordsAtOnce } from './choice.ts';
import type { Condition, NodeFilter } from './condition.ts';
import { countOnWalk } from './count.ts';
import { conditionsOf } from './filter.ts';
import { membershipOf } from './membership.ts';
import { listNodes } from './node.ts';
import { isPlain, plainConditions, plainKey, plainRows } from './plain.ts';
import { isByRelevance, pagesByRelevance } from './relevance.ts';
import { idsAmong, idsOnWalk, orderOf, rowsOfPage } from './selection.ts';
import { walkOf } from './walk.ts';

/** The criterion that groups nodes: the folder that holds them, or a tag on them. */
export type Grouping = 'folder' | 'tag';

/** The group of the statement's row. */
const GROUP = sql.ref('part.value');

/** The groups of a list: folders, or tags, by id. */
export interface Groups {
  by: Grouping;
  ids: readonly number[];
}

interface ListArgs {
  scope: Scope;
  groups: Groups;
  filter: NodeFilter;
  keyset: Keyset;
  page: PageRequest;
  columns: Columns<NodeRow>;
  /** See `conditionsOf`. */
  rank?: number;
}

const ofPlainFolders = prepared<ListArgs, NodeRow & { part: number }>({
  keyOf: ({ scope, filter, keyset, page, columns }) =>
    `${plainKey(scope, filter)} ${pageKey(keyset, page)} ${columns}`,
  lookupsOf: ({ groups, page }) => groups.ids.length * (page.limit + 1),
  build: (db, { scope, filter, keyset, page, columns }, slot) => {
    const member = membershipOf(db, 'folder', GROUP);
    const conditions = [member, ...plainConditions(db, scope, filter, slot)];
    const walk = walkOf(db, conditions, orderOf(keyset));
    const members = idsOnWalk(db, walk, conditions, keyset, pageSlots(page, slot));
    const ids = slot(({ groups }) => groups.ids);
    return compilable(db, rowsOfPages(db, 'media', members, ids, { keyset, page, columns }));
  },
});

/** The same pages, of columns that the index of their order has. */
const ofPlainFoldersByIndex = prepared<ListArgs, JsonGroup>({
  keyOf: ({ scope, filter, keyset, page }) => `${plainKey(scope, filter)} ${pageKey(keyset, page)}`,
  lookupsOf: ({ groups, page }) => groups.ids.length * (page.limit + 1),
  build: (db, { scope, filter, keyset, page }, slot) => {
    const member = membershipOf(db, 'folder', GROUP);
    const conditions = [member, ...plainConditions(db, scope, filter, slot)];
    const columns = columnsOf(keyset);
    const rows = plainRows(db, conditions, keyset, pageSlots(page, slot), columns);
    const ids = slot(({ groups }) => groups.ids);
    return compilable(db, jsonOfEach(db, ids, sql`(${rows})`, columns));
  },
});

function columnsOf({ columns }: Keyset): (keyof NodeRow & string)[] {
  return columns.map(({ name }) => name as keyof NodeRow & string);
}

/** Returns one page of each group. Every group has an entry. */
export async function listNodesOfEach<C extends Columns<NodeRow> = undefined>(
  db: Db,
  scope: Scope,
  groups: Groups,
  filter: NodeFilter,
  keyset: Keyset,
  page: PageRequest,
  columns?: C,
): Promise<Map<number, RowPage<RowOf<NodeRow, C>>>> {
  const args = { scope, groups, filter, keyset, page, columns };
  const pages = isByRelevance(keyset)
    ? await pagesByRelevance({ groups: groups.ids, filter, keyset, page }, (part) =>
        readPages(db, { ...args, ...part }),
      )
    : await readPages(db, args);
  return pages as Map<number, RowPage<NodeRow>> as Map<number, RowPage<RowOf<NodeRow, C>>>;
}

async function readPages(db: Db, list: ListArgs): Promise<Map<number, RowPage<NodeRow>>> {
  const { scope, groups, filter, keyset, page } = list;
  const args = { ...list, columns: withColumns(list.columns, columnsOf(keyset)) };
  const isOfFolders = groups.by === 'folder' && filter.folderId === undefined;
  const isOfPlainFolders = isOfFolders && isPlain(scope, filter);
  const [folderId, ...others] = groups.ids;
  if (isOfPlainFolders && folderId !== undefined && others.length === 0) {
    const alone = { ...filter, folderId };
    const only = await listNodes(db, scope, alone, keyset, page, list.columns);
    return new Map([[folderId, only as RowPage<NodeRow>]]);
  }
  const pages = await (isOfPlainFolders ? plainPages(db, args) : chosenPages(db, args));
  for (const found of pages.values()) found.rows = withActualPaths(scope.moved, found.rows);
  return pages;
}

async function plainPages(db: Db, args: ListArgs): Promise<Map<number, RowPage<NodeRow>>> {
  const { groups, keyset, page, columns } = args;
  const ordering: readonly string[] = columnsOf(keyset);
  if (!columns?.every((name) => ordering.includes(name))) {
    return toPages(await ofPlainFolders(db, args), groups.ids, page);
  }
  const rows = await ofPlainFoldersByIndex(db, args);
  const found = new Map<number, RowPage<NodeRow>>();
  for (const { part, members } of rows) {
    const values = JSON.parse(members) as (string | number)[][];
    const rowsOfGroup = values.map((row) => toRow(ordering, row));
    found.set(Number(part), toRowPage(rowsOfGroup, page));
  }
  return found;
}

function toRow(columns: readonly string[], values: readonly (string | number)[]): NodeRow {
  const row: Record<string, unknown> = {};
  for (let index = 0; index < columns.length; index++) row[columns[index] ?? ''] = values[index];
  return row as unknown as NodeRow;
}

async function chosenPages(
  db: Db,
  { scope, groups: { by, ids }, filter, keyset, page, columns, rank }: ListArgs,
): Promise<Map<number, RowPage<NodeRow>>> {
  const conditions = conditionsOf(db, scope, filter, rank);
  const [group, ...others] = ids;
  const walk = walkOf(db, [...kindOf(conditions), membershipOf(db, by, GROUP)], orderOf(keyset));
  const isNarrowed = candidatesBeside(walk, conditions, keyset).length > 0 || filter.search;
  if (group !== undefined && others.length === 0 && (isNarrowed || walk.by === null)) {
    const member = membershipOf(db, by, sql`${group}`);
    const selected = await idsOfPage(db, [member, ...conditions], keyset, page);
    const { rows } = await rowsOfPage<NodeRow>(db, selected, keyset, page, columns).execute(db);
    return new Map([[group, toRowPage(rows, page)]]);
  }
  const checked = withWordsAtOnce(db, conditions);
  if (walk.by !== null) {
    const members = idsOnWalk(db, walk, [walk.by, ...checked], keyset, page);
    return listOfEach(db, 'media', members, ids, { keyset, page, columns });
  }
  return listOfTags(db, ids, checked, { keyset, page, columns });
}

/** Lists the media of tags in an order that no index of tags has: the way depends on the number of media. */
async function listOfTags(
  db: Db,
  tagIds: readonly number[],
  conditions: readonly Condition[],
  request: PagesRequest,
): Promise<Map<number, RowPage<NodeRow>>> {
  const { keyset, page } = request;
  const tag = membershipOf(db, 'tag', GROUP);
  const up = sql<number>`(select count(*) from (${tag.ids} limit ${CANDIDATES_MAX + 1}) counted)`;
  const counts = await valuesOfEach(db, tagIds, up);
  const isSmall = (id: number) => (counts.get(id) ?? 0) <= CANDIDATES_MAX;
  const small = tagIds.filter(isSmall);
  const large = tagIds.filter((id) => !isSmall(id));
  const all = [tag, ...conditions];
  const sorted = idsAmong(db, tag, all, keyset, page);
  const walked = idsOnWalk(db, walkOf(db, kindOf(all), orderOf(keyset)), all, keyset, page);
  const pages = [
    ...(small.length > 0 ? await listOfEach(db, 'media', sorted, small, request) : []),
    ...(large.length > 0 ? await listOfEach(db, 'media', walked, large, request) : []),
  ];
  return new Map(pages);
}

/** Returns the number of nodes in each group; an empty group has no entry. */
export async function countNodesOfEach(
  db: Db,
  scope: Scope,
  { by, ids }: Groups,
  filter: NodeFilter,
): Promise<Map<number, number>> {
  const conditions = conditionsOf(db, scope, filter);
  const walk = walkOf(db, [...kindOf(conditions), membershipOf(db, by, GROUP)], 'id');
  const checked = withWordsAtOnce(db, conditions);
  const members = walk.by === null ? checked : [walk.by, ...checked];
  const counts = await valuesOfEach(db, ids, countOnWalk(db, walk, members));
  return new Map([...counts].filter(([, count]) => count > 0));
}

/** Returns the value of an expression for each group. */
async function valuesOfEach(
  db: Db,
  groups: readonly number[],
  value: RawBuilder<number>,
): Promise<Map<number, number>> {
  const { rows } = await sql<{ part: number; result: number }>`select part.value as part,
    ${value} as result from (${valuesOf(db, groups)}) part`.execute(db);
  return new Map(rows.map(({ part, result }) => [Number(part), result]));
}

function kindOf(conditions: readonly Condition[]): Condition[] {
  return conditions.filter(({ kind }) => kind);
}
