import {
  CompiledQuery,
  type ExpressionBuilder,
  type KyselyPlugin,
  type RawBuilder,
  RawNode,
  type SelectQueryBuilder,
  sql,
} from 'kysely';
import { expect, it } from 'vitest';
import type { Condition, OrderStep, Search } from '../../../src/lib/search.ts';
import { type ListedTable, orderOf, SORTED_MAX } from '../../../src/store/access-path.ts';
import type { Db } from '../../../src/store/db.ts';
import {
  countMatchingFiles,
  FILE_COLUMNS,
  type FileField,
  searchFiles,
} from '../../../src/store/file/search.ts';
import { listJobs } from '../../../src/store/job/job.ts';
import {
  countMatchingJobs,
  JOB_COLUMNS,
  type JobField,
  searchJobs,
} from '../../../src/store/job/search.ts';
import type { JobSight } from '../../../src/store/job/sight.ts';
import { EVERYTHING, inScope, type Scope } from '../../../src/store/scope.ts';
import { toSql } from '../../../src/store/search.ts';
import type { Database } from '../../../src/store/table.ts';
import { type Backend, describeEachBackend } from '../../support/backend.ts';
import { SCOPES, SIGHTS } from '../../support/search-scope.ts';

/** Of the combinations of an order and a filter, one of so many is explained. 1 takes all. */
const SHARE = Number(process.env.TRIVIUM_TEST_PLAN_SHARE || 6);

/** More than are ever sorted. */
const COUNT = SORTED_MAX + 700;

/** Rows of files and jobs; nine of ten have the value `common` in each field that has few values, and no project. */
async function fill(db: Db, { name }: Backend): Promise<void> {
  const numbers =
    name === 'postgres'
      ? sql`(select n::bigint from generate_series(1, ${sql.lit(COUNT)}) item(n)) item`
      : sql`(with recursive item(n) as (select 1 union all select n + 1 from item where n < ${sql.lit(COUNT)}) select n from item) item`;
  const value = sql`case when n % 100 = 0 then 'rare' else 'common' end`;
  const gap = sql`case when n % 100 = 0 then 'rare' when n % 100 = 1 then null else 'common' end`;
  const sparse = sql`case when n % 100 = 0 then 'rare' when n % 100 < 10 then 'common' end`;
  const uuid = sql`('u' || (n * 7919 % 100003))`;
  await sql`insert into media (id, uuid, type, parent_id, level, path, name, resource, owner, is_public, created_at, updated_at)
    select n + 10, ${uuid}, 'image', 1, 2, case when n % 50 = 0 then '/1/7/' else '/1/5/' end, 'm', case when n % 3 = 0 then 'r' || n end, case when n % 4 = 0 then 'b' else 'a' end, case when n % 10 < 2 then -1 else n % 2 end, n, n
    from ${numbers} where n <= 100`.execute(db);
  await sql`insert into file (uuid, media_id, key, filename, extension, mime_type, size_bytes, md5, dir, url_name, blob_key, created_by, created_role, project_id, resource, is_public, created_at, updated_at)
    select 'u' || (n * 7919 % 100003), media.id, 'k' || (n / 100), 'f' || (n % 1000), 'png', ${value}, n % 100, 'd' || (n % 10), 'dir' || n, 'f', 'b' || n, ${gap}, ${gap}, ${sparse},
      coalesce(resource, media.uuid), is_public, n / 3, n % 1000
    from ${numbers} join media on media.id = n % 100 + 11`.execute(db);
  await sql`insert into job (uuid, media_id, created_by, job_class, arguments, priority, status, progress, retry_count, error, unicity, scheduled_at, created_at, updated_at)
    select ${uuid}, case when n % 3 = 0 then n % 100 + 11 end, ${gap}, ${value}, '{}', n % 3, ${value}, 1.0 / (n % 7 + 1), n % 2, ${gap}, ${gap}, n % 1000, n / 3, n % 11 from ${numbers}`.execute(
    db,
  );
}

/** Brings what the planner knows into a state. */
type State = (db: Db, backend: Backend) => Promise<unknown>;

/** What the planner knows: nothing, all, or what was true of other data. Each list is of one database. */
const STATES: Readonly<Record<Backend['name'], readonly Readonly<Record<string, State>>[]>> = {
  sqlite: [
    {
      'without statistics': fill,
      analysed: (db) => sql`analyze`.execute(db),
      'analysed with other data': async (db) => {
        // As if each value were on two rows, and each table had few.
        await sql`update sqlite_stat1 set stat = '100 2 1'`.execute(db);
        await sql`analyze sqlite_schema`.execute(db);
      },
    },
  ],
  postgres: [
    {
      'without statistics': fill,
      analysed: (db) => sql`vacuum analyze media, file, job`.execute(db),
    },
    {
      'analysed with other data': async (db, backend) => {
        await sql`analyze media, file, job`.execute(db);
        await fill(db, backend);
      },
    },
  ],
};

const equal = <Field extends string>(
  field: Field,
  ...values: (string | number | null)[]
): Condition<Field> => ({ field, test: 'any', values });

const FILE_FILTERS: readonly Condition<FileField>[][] = [
  [],
  [equal('mime_type', 'rare')],
  [equal('mime_type', 'common')],
  [equal('mime_type', 'none')],
  [equal('mime_type', 'rare', 'common')],
  [equal('mime_type', 'rare', 'none', 'rare')],
  [equal('mime_type')],
  [equal('created_by', null)],
  [equal('project_id', 'common')],
  [equal('project_id', 'rare')],
  [equal('created_by', null, 'common')],
  [{ field: 'project_id', test: 'exists' }],
  [{ field: 'project_id', test: 'absent' }],
  [{ field: 'created_role', test: 'none', values: ['common'] }],
  [equal('key', 'k3'), equal('is_public', 1)],
  [equal('md5', 'd3')],
  [equal('resource', 'r30')],
  [equal('name', 'u7919.png')],
  [equal('uuid', 'u7919', 'u15838')],
  [
    { field: 'size_bytes', test: '>=', value: 20 },
    { field: 'size_bytes', test: '<', value: 22 },
  ],
  [{ field: 'size_bytes', test: '>=', value: 2 }, equal('created_role', 'common')],
  [{ field: 'created_at', test: '>', value: 100_000 }],
  [
    { field: 'filename', test: 'substring', text: 'F99' },
    { field: 'updated_at', test: '<=', value: 900 },
  ],
];

const JOB_FILTERS: readonly Condition<JobField>[][] = [
  [],
  [equal('status', 'rare')],
  [equal('status', 'common')],
  [equal('job_class', 'none')],
  [equal('job_class', 'rare', 'common'), equal('priority', 1)],
  [equal('error', 'rare')],
  [equal('error', null)],
  [{ field: 'error', test: 'exists' }],
  [{ field: 'error', test: '<', value: 'd' }],
  [equal('unicity', 'rare')],
  [{ field: 'progress', test: '<', value: 0.2 }],
  [equal('retry_count', 9)],
  [
    { field: 'created_at', test: '>=', value: 10 },
    { field: 'created_at', test: '<', value: 20 },
  ],
  [{ field: 'scheduled_at', test: '>=', value: 0 }],
];

const ordersOf = <Field extends string>(fields: readonly Field[]): OrderStep<Field>[][] => [
  ...fields.flatMap((field) => [false, true].map((descending) => [{ field, descending }])),
];
const FILE_ORDERS = ordersOf(
  Object.keys(FILE_COLUMNS).filter((field) => field !== 'name') as FileField[],
);
const JOB_ORDERS = ordersOf(Object.keys(JOB_COLUMNS) as JobField[]);
const MIXED: OrderStep<FileField>[] = [
  { field: 'size_bytes', descending: true },
  { field: 'filename', descending: false },
];

describeEachBackend('searches of files and jobs', (backend) => {
  it('return what the same conditions and order return without a chosen index', () =>
    backend.withDb(async (db) => {
      await fill(db, backend);
      for (const [index, conditions] of FILE_FILTERS.entries()) {
        for (const [at, scope] of Object.values(SCOPES).entries()) {
          const orders = [MIXED, ...FILE_ORDERS].filter(
            (_, n) => n % 27 === (4 * index + 7 * at) % 27,
          );
          await compare(db, comparedFiles(db, scope), conditions, orders);
        }
      }
      for (const [index, conditions] of JOB_FILTERS.entries()) {
        const orders = JOB_ORDERS.filter((_, n) => n % 11 === index % 11);
        for (const [at, sight] of Object.values(SIGHTS).entries()) {
          const some = orders.filter((_, n) => n % 3 === at % 3);
          await compare(db, comparedJobs(db, sight), conditions, some);
        }
      }
    }));

  it.each(
    STATES[backend.name].map((states): [string, typeof states] => [
      Object.keys(states).join(', '),
      states,
    ]),
  )('scan no table, and sort no more rows than are allowed: %s', (_names, states) =>
    backend.withDb((db) =>
      db.connection().execute(async (db) => {
        for (const bring of Object.values(states)) {
          await bring(db, backend);
          const statements: CompiledQuery[] = [];
          await searchAll(db.withPlugin(recorder(db, statements)));
          // PostgreSQL may read the whole table for the set of hidden files, which is a fifth of all here.
          if (backend.name === 'sqlite') await searchDeep(db.withPlugin(recorder(db, statements)));
          for (const statement of statements) await checkPlan(db, backend, statement);
          statements.length = 0;
          await listOneValue(db.withPlugin(recorder(db, statements)));
          for (const statement of statements) await checkUnsorted(db, backend, statement);
        }
      }),
    ),
  );
});

const WINDOW = { limit: 20, offset: 30 };
/** A page that passes so many rows that another condition hides the private ones. */
const DEEP = { limit: 20, offset: 1500 };

/** The rows of a list without any conditions, and the searches whose results are compared. */
interface Compared<Field extends string> {
  table: ListedTable<Field>;
  // Kysely has no type of a query of either table.
  all: SelectQueryBuilder<Database, 'file' | 'job', object>;
  count: (conditions: Condition<Field>[]) => Promise<number>;
  search: (search: Search<Field>) => Promise<{ rows: { uuid: string }[] }>;
}

function comparedFiles(db: Db, scope: Scope): Compared<FileField> {
  const files = db.selectFrom('file').innerJoin('media', 'media.id', 'file.media_id');
  return {
    table: { name: 'file', columns: FILE_COLUMNS },
    all: inScope(db, files, scope) as never,
    count: (conditions) => countMatchingFiles(db, scope, conditions),
    search: (search) => searchFiles(db, scope, search),
  };
}

function comparedJobs(db: Db, sight: JobSight): Compared<JobField> {
  const all = db.selectFrom('job');
  const { unicity, ...columns } = JOB_COLUMNS;
  const own = sql`case when job.created_by = ${sight?.startedBy ?? null} then job.unicity end`;
  const isReadable = sight === null || sight.readsAll;
  return {
    table: {
      name: 'job',
      columns: { ...columns, unicity: isReadable ? unicity : { ...unicity, value: own } },
    },
    all: (sight === null ? all : all.where(isInSight(db, sight))) as never,
    count: (conditions) => countMatchingJobs(db, sight, conditions),
    search: (search) => searchJobs(db, sight, search),
  };
}

function isInSight(db: Db, { startedBy, nodes }: NonNullable<JobSight>) {
  const media = inScope(db, db.selectFrom('media'), nodes).select('media.id');
  return (eb: ExpressionBuilder<Database, 'job'>) =>
    eb.or([eb('created_by', '=', startedBy), eb('media_id', 'in', media)]);
}

async function compare<Field extends string>(
  db: Db,
  { table, all, count, search }: Compared<Field>,
  conditions: Condition<Field>[],
  orders: OrderStep<Field>[][],
): Promise<void> {
  const naive = conditions
    .map((one) => toSql(db, table.columns[one.field], one))
    .reduce((query, one) => query.where(one), all);
  const { n } = await naive
    .select((eb) => eb.fn.countAll<number>().as('n'))
    .executeTakeFirstOrThrow();
  expect([conditions, await count(conditions)]).toEqual([conditions, Number(n)]);
  for (const [order, window] of orders.flatMap((order) =>
    [WINDOW, DEEP].map((window) => [order, window] as const),
  )) {
    const { rows } = await search({ conditions, order, ...window });
    const expected = await naive
      .select(sql<string>`${sql.ref(`${table.name}.uuid`)}`.as('uuid'))
      .orderBy(orderOf(table, order) as RawBuilder<string>)
      .limit(window.limit)
      .offset(window.offset)
      .execute();
    expect([conditions, order, uuidsOf(rows)]).toEqual([conditions, order, uuidsOf(expected)]);
  }
}

function uuidsOf(rows: readonly { uuid: string }[]): string[] {
  return rows.map(({ uuid }) => uuid);
}

/** Every filter in every scope and every order; pages of GraphQL's list of jobs too. */
async function searchAll(db: Db): Promise<void> {
  let turn = 0;
  for (const conditions of FILE_FILTERS) {
    for (const scope of Object.values(SCOPES)) {
      const order = FILE_ORDERS[turn++ % FILE_ORDERS.length] ?? [];
      await searchFiles(db, scope, { conditions, order, ...WINDOW });
    }
  }
  for (const [at, order] of FILE_ORDERS.entries()) {
    const filters = [[], [equal('project_id', 'common')], [equal('project_id', null)]] as const;
    for (const conditions of filters.filter((_, n) => n % SHARE === at % SHARE))
      await searchFiles(db, EVERYTHING, { conditions, order, ...WINDOW });
  }
  for (const [at, sight] of Object.values(SIGHTS).entries()) await searchJobsIn(db, sight, at);
}

/** Deep pages of files in each order, which pass rows in an index alone. */
async function searchDeep(db: Db): Promise<void> {
  const { 'without private media of others': scope = EVERYTHING } = SCOPES;
  for (const order of FILE_ORDERS) await searchFiles(db, scope, { conditions: [], order, ...DEEP });
}

async function searchJobsIn(db: Db, sight: JobSight, turn: number): Promise<void> {
  for (const [at, order] of JOB_ORDERS.entries()) {
    // Only a viewer who reads all jobs has an index of this order.
    if (sight?.readsAll === false && order[0]?.field === 'unicity') continue;
    const filters = [[], JOB_FILTERS[1] ?? [], JOB_FILTERS[2] ?? []];
    for (const conditions of filters.filter((_, n) => n % SHARE === (at + turn) % SHARE)) {
      await searchJobs(db, sight, { conditions, order, ...WINDOW });
    }
  }
  for (const name of ['id', 'created_at', 'updated_at', 'scheduled_at', 'priority']) {
    const id = { name: 'id', type: 'number' } as const;
    const columns = name === 'id' ? [id] : [{ name, type: 'number' } as const, id];
    const keyset = { name, columns, descending: true };
    for (const filter of [{}, { statuses: ['rare'] }, { statuses: ['common'] }, { mediaId: 11 }]) {
      await listJobs(db, sight, filter, keyset, { limit: 20, backward: false });
      const after = name === 'id' ? [900] : [2, 900];
      await listJobs(db, sight, filter, keyset, { limit: 20, backward: true, before: after });
    }
  }
}

/** Lists whose order is that of the index of their only condition, which many rows meet. */
async function listOneValue(db: Db): Promise<void> {
  for (const descending of [false, true]) {
    const byUuid = { order: [{ field: 'uuid', descending } as const], ...WINDOW };
    for (const condition of [equal('mime_type', 'common'), equal('project_id', null)])
      await searchFiles(db, EVERYTHING, { conditions: [condition as never], ...byUuid });
    for (const field of ['status', 'job_class', 'unicity'] as const)
      await searchJobs(db, null, { conditions: [equal(field, 'common')], ...byUuid });
  }
}

/** Only the rows of the page are sorted. */
async function checkUnsorted(db: Db, backend: Backend, statement: CompiledQuery): Promise<void> {
  const plan = await planOf(db, backend, statement);
  const sorts = plan.match(/TEMP B-TREE FOR ORDER BY/g)?.length ?? 0;
  expect([plan, sorts <= 1]).toEqual([plan, true]);
  expect([plan, sortedIn(plan) <= WINDOW.limit + 1]).toEqual([plan, true]);
}

function recorder(db: Db, statements: CompiledQuery[]): KyselyPlugin {
  return {
    transformQuery: ({ node, queryId }) => {
      // Parts of a statement come here too.
      if (RawNode.is(node)) statements.push(db.getExecutor().compileQuery(node, queryId));
      return node;
    },
    transformResult: async ({ result }) => result,
  };
}

async function checkPlan(db: Db, backend: Backend, statement: CompiledQuery): Promise<void> {
  const plan = await planOf(db, backend, statement);
  if (backend.name === 'sqlite') return checkSqlitePlan(statement.sql, plan);
  expect(plan).not.toMatch(/(Seq|Bitmap Heap) Scan on (file|job)/);
  const sorted = [...plan.matchAll(/Sort .*actual rows=(\d+)/g)].map(([, rows]) => Number(rows));
  expect([plan, Math.max(0, ...sorted) <= SORTED_MAX + 1]).toEqual([plan, true]);
}

async function planOf(
  db: Db,
  { name }: Backend,
  { sql: text, parameters }: CompiledQuery,
): Promise<string> {
  const explain =
    name === 'sqlite' ? 'explain query plan' : 'explain (analyze, timing off, summary off)';
  const { rows } = await db.executeQuery<Record<string, string>>(
    CompiledQuery.raw(`${explain} ${text}`, [...parameters]),
  );
  return rows.map((row) => row.detail ?? row['QUERY PLAN']).join('\n');
}

/** Returns the most rows that a step of PostgreSQL sorts: those of the step below. */
function sortedIn(plan: string): number {
  const lines = plan.split('\n');
  const sorted = lines.flatMap((line, at) => {
    if (!/(?<!Incremental )Sort {2}\(/.test(line)) return [];
    const below = lines.slice(at + 1).find((other) => other.includes('actual rows='));
    return [Number(below?.match(/actual rows=(\d+)/)?.[1] ?? 0)];
  });
  return Math.max(0, ...sorted);
}

function checkSqlitePlan(text: string, plan: string): void {
  // A walk of the table itself is a walk of its index by id. The table of media is too small for an index here.
  const isById = text.includes('from "job" not indexed');
  if (!isById) expect(plan).not.toMatch(/SCAN (file|job)(?! USING)/);
  // At the end, the page. Before, what a condition has found: then its index is searched, not scanned.
  const sorts = plan.match(/TEMP B-TREE FOR ORDER BY/g)?.length ?? 0;
  // Far from the start, the hidden rows are sorted too, which are few.
  const sortsMax = text.includes('row_number()') ? 2 : 1;
  // The index of private files is read for the first one only.
  if (/SCAN (file|job) USING (?!(COVERING )?INDEX file_private)/.test(plan) || isById)
    expect([plan, sorts <= sortsMax]).toEqual([plan, true]);
}
