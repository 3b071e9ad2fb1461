import { type RawBuilder, sql } from 'kysely';
import { keysetBy } from '../cursor.ts';
import type { Db } from '../db.ts';
import { jsonOf } from '../plan.ts';
import type { Scope } from '../scope.ts';
import type { TagRow } from '../table.ts';
import { withWordsAtOnce } from './choice.ts';
import type { Condition, NodeFilter } from './condition.ts';
import { selectiveOf } from './count.ts';
import { conditionsOf } from './filter.ts';
import type { Grouping } from './group.ts';
import { membershipOf } from './membership.ts';
import { candidatesOf, checkOf, partsOf, withMedia } from './selection.ts';
import { walkOf } from './walk.ts';

/** The parts of the facets of a list to compute. */
export interface FacetRequest {
  types: boolean;
  months: boolean;
  size: boolean;
  /** Number of tags; 0: none. */
  tags: number;
}

/** One of many lists: the media of a folder, or of a tag. */
export interface FacetGroup {
  by: Grouping;
  id: number;
}

/** The facets of a list; those that were not requested are empty. */
export interface FacetRows {
  types: { name: string; count: number }[];
  /** Days since 1970, UTC. */
  days: { day: number; count: number }[];
  /** The most frequent ones, with ties by name. */
  tags: { tag: FacetTagRow; count: number }[];
  /** Total size of the originals. */
  sizeBytes: number;
}

/** The index of this order has the type of each node as well. */
const BY_TIME = keysetBy('time', { name: 'created_at', type: 'number' });

const DAY_MS = 86_400_000;

/** Returns the facets of the media that match the filter, in one statement after those that choose its plan. */
export async function countFacets(
  db: Db,
  scope: Scope,
  { filter, group }: { filter: NodeFilter; group?: FacetGroup | undefined },
  request: FacetRequest,
): Promise<FacetRows> {
  const parts = partsOfRequest(db, request);
  if (parts.length === 0) return { types: [], days: [], tags: [], sizeBytes: 0 };
  const member = group ? [membershipOf(db, group.by, sql`${group.id}`)] : [];
  const matching = await matchesOf(db, [...member, ...conditionsOf(db, scope, filter)]);
  const { rows } = await sql<FacetRow>`with matching as materialized (${matching})
    ${sql.join(parts, sql` union all `)}`.execute(db);
  const of = (part: FacetRow['part']) => rows.filter((row) => row.part === part);
  return {
    types: of('type').map(({ name, count }) => ({ name, count })),
    days: of('day').map(({ id, count }) => ({ day: id, count })),
    tags: of('tag').map(({ name, count }) => ({ tag: toTagRow(name), count })),
    sizeBytes: of('size')[0]?.count ?? 0,
  };
}

interface FacetRow {
  part: 'type' | 'day' | 'tag' | 'size';
  id: number;
  name: string;
  count: number;
}

function partsOfRequest(
  db: Db,
  { types, months, size, tags }: FacetRequest,
): RawBuilder<unknown>[] {
  return [
    ...(types
      ? [
          sql`select 'type' as part, 0 as id, type as name, count(*) as count from matching group by type`,
        ]
      : []),
    ...(months
      ? [
          sql`select 'day' as part, created_at / ${sql.lit(DAY_MS)} as id, '' as name, count(*) as count
            from matching group by created_at / ${sql.lit(DAY_MS)}`,
        ]
      : []),
    ...(tags > 0
      ? [sql`select part, id, name, count from (${frequentTags(db, tags)}) frequent`]
      : []),
    ...(size
      ? [
          sql`select 'size' as part, 0 as id, '' as name, cast(coalesce(sum(file.size_bytes), 0) as bigint) as count
            from matching join file on file.media_id = matching.id and file.key = ''`,
        ]
      : []),
  ];
}

function frequentTags(db: Db, limit: number): RawBuilder<unknown> {
  const row = jsonOf(
    db,
    TAG_COLUMNS.map((name) => sql.ref(`tag.${name}`)),
  );
  return sql`select 'tag' as part, tag.id as id, ${row} as name, carried.count as count
    from (select media_tag.tag_id, count(*) as count from matching
      join media_tag on media_tag.media_id = matching.id group by media_tag.tag_id) carried
    join tag on tag.id = carried.tag_id where tag.deleted_at is null
    order by carried.count desc, tag.name_sort, tag.id limit ${limit}`;
}

/** The columns that a tag is read from, which the statement returns as one text. */
const TAG_COLUMNS = [
  'id',
  'type',
  'name',
  'description',
  'color',
  'visible',
  'active',
  'visibility_boost',
  'created_at',
] as const satisfies readonly (keyof TagRow)[];

/** A tag, with the columns that it is read from. */
export type FacetTagRow = Pick<TagRow, (typeof TAG_COLUMNS)[number]>;

function toTagRow(json: string): FacetTagRow {
  const values = JSON.parse(json) as unknown[];
  const entries = TAG_COLUMNS.map((name, index) => [name, values[index]]);
  return Object.fromEntries(entries) as FacetTagRow;
}

/** Selects the id, the type and the creation time of all nodes that match. */
async function matchesOf(db: Db, conditions: readonly Condition[]): Promise<RawBuilder<unknown>> {
  const columns = sql`media.id as id, media.type as type, media.created_at as created_at`;
  const walk = walkOf(db, conditions, 'created_at');
  const selective = await selectiveOf(db, walk, conditions, BY_TIME);
  if (selective !== undefined) {
    const checks = checkOf(db, withWordsAtOnce(db, conditions, selective), selective);
    return sql`select ${columns} from ${candidatesOf(db, selective)} where ${checks}`;
  }
  const { where } = partsOf(db, walk, conditions, BY_TIME);
  const narrowed = where.length === 0 ? sql`` : sql`where ${sql.join(where, sql` and `)}`;
  return sql`select ${columns} from ${withMedia(db, walk)} ${narrowed}`;
}
