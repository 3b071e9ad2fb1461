import {
  CompiledQuery,
  type KyselyPlugin,
  type PluginTransformQueryArgs,
  type PluginTransformResultArgs,
  type RootOperationNode,
  sql,
} from 'kysely';
import { expect, it } from 'vitest';
import { orderKeyset } from '../../src/domain/tree/order.ts';
import type { Db } from '../../src/store/db.ts';
import { setFastPath } from '../../src/store/fast-path.ts';
import { EVERYTHING, type Scope } from '../../src/store/scope.ts';
import { listNodesOfEach } from '../../src/store/tree/group.ts';
import { listNodes, listNodesInOrder } from '../../src/store/tree/node.ts';
import { type Backend, describeEachBackend } from '../support/backend.ts';
import { type ListData, makeListData } from '../support/list-data.ts';
import { filtersOf } from '../support/list-filter.ts';

const FIELDS = ['id', 'created_at', 'updated_at', 'name', 'sort_order'] as const;
/** Of lists of media only. */
const MEDIA_FIELDS = [...FIELDS, 'size', 'title', 'taken_at', 'type'] as const;
const PAGE = { limit: 20, backward: false };

/** The most rows that a list sorts: the candidates of one condition. */
const SORTED_MAX = 4100;

/** The most nodes that a short walk passes. PostgreSQL may sort them all if there are fewer. */
const WALKED_MAX = 12_000;

/** Brings the statistics of the database into a state. */
type State = (db: Db, data: ListData) => Promise<void>;

const analyze: State = (db) => sql`analyze`.execute(db).then(() => undefined);
const vacuum: State = (db) => sql`vacuum analyze`.execute(db).then(() => undefined);

/**
 * Statistics of a time when the large folder had few media, of another type and owner, and the large tag had none. On
 * PostgreSQL these moves leave dead rows: an index may become a level deeper than one without the order of a list.
 */
const analyzeOther: State = async (db, { giantFolder, smallFolder, giantTag }) => {
  const move = async (from: number, to: number, type: string, owner: string) => {
    await sql`update media set parent_id = ${to}, type = ${type}, owner = ${owner}
      where parent_id = ${from} and type <> 'folder'`.execute(db);
  };
  await move(giantFolder, smallFolder, 'doc', 'bob');
  await sql`create table untagged as select * from media_tag where tag_id = ${giantTag}`.execute(
    db,
  );
  await sql`delete from media_tag where tag_id = ${giantTag}`.execute(db);
  await sql`analyze`.execute(db);
  await sql`insert into media_tag select * from untagged`.execute(db);
  await sql`drop table untagged`.execute(db);
  await move(smallFolder, giantFolder, 'image', 'alice');
};

const STATES: Record<Backend['name'], Record<string, State>> = {
  sqlite: { 'no statistics': async () => undefined, analyzed: analyze, misled: analyzeOther },
  postgres: {
    'no statistics': async () => undefined,
    analyzed: analyze,
    vacuumed: vacuum,
    misled: analyzeOther,
  },
};

const scopesOf = ({ smallFolder }: ListData): Scope[] => [
  EVERYTHING,
  { ...EVERYTHING, publicOnly: true },
  {
    ...EVERYTHING,
    within: { subtrees: [{ id: smallFolder, below: `/1/${smallFolder}/` }], owner: 'bob' },
  },
];

describeEachBackend('whatever the statistics say', (backend) => {
  it(
    'no list of nodes reads a table or sorts more than its candidates',
    () =>
      backend.withDb(async (db) => {
        // The fast path hides its queries from plugins.
        setFastPath(db, false);
        const data = await makeListData(db);
        for (const [state, bring] of Object.entries(STATES[backend.name])) {
          await bring(db, data);
          for (const [index, [name, list]] of listsOf(data).entries()) {
            const recorder = new Recorder();
            const scope = scopesOf(data)[index % 3] as Scope;
            await list(db.withPlugin(recorder), scope);
            for (const node of recorder.nodes) {
              const problems = await problemsOf(backend, db, node);
              expect(problems, `${name}, ${state}, ${JSON.stringify(scope)}`).toEqual([]);
            }
          }
        }
      }),
    240_000,
  );
});

type ListOf = (db: Db, scope: Scope) => Promise<unknown>;

/** Every filter, each in some orders; of one folder or tag and of several; and by offset. */
function listsOf(data: ListData): [string, ListOf][] {
  const { giantFolder, smallFolder, giantTag, smallTag, rareTag } = data;
  const lists = Object.entries(filtersOf(data)).flatMap(([name, filter], index) =>
    (filter.kind ? FIELDS : MEDIA_FIELDS)
      .filter((_, at) => (at + index) % 3 === 0)
      .map((field, at): [string, ListOf] => {
        const keyset = orderKeyset({ field, descending: (index + at) % 2 === 0 });
        return [`${name} by ${field}`, (db, scope) => listNodes(db, scope, filter, keyset, PAGE)];
      }),
  );
  const byRelevance = orderKeyset({ field: 'relevance', descending: false });
  const searches = Object.entries(filtersOf(data)).filter(([, { search }]) => search);
  const ranked = searches.map(([name, filter]): [string, ListOf] => [
    `${name} by relevance`,
    (db, scope) => listNodes(db, scope, filter, byRelevance, PAGE),
  ]);
  const groups = [
    { by: 'folder', ids: [giantFolder, smallFolder] },
    { by: 'tag', ids: [giantTag, smallTag, rareTag] },
  ] as const;
  const grouped = groups.flatMap((group) =>
    MEDIA_FIELDS.map((field): [string, ListOf] => [
      `${group.by}s by ${field}`,
      (db, scope) =>
        listNodesOfEach(db, scope, group, {}, orderKeyset({ field, descending: true }), PAGE),
    ]),
  );
  const window = { limit: 20, offset: 3000 };
  const children: ListOf = (db, scope) =>
    listNodesInOrder(db, scope, { kind: 'any', folderId: giantFolder }, window);
  return [...lists, ...ranked, ...grouped, ['children by offset', children]];
}

/** Records the statements that run. */
class Recorder implements KyselyPlugin {
  readonly nodes: { node: RootOperationNode; id: PluginTransformQueryArgs['queryId'] }[] = [];

  transformQuery({ node, queryId }: PluginTransformQueryArgs): RootOperationNode {
    this.nodes.push({ node, id: queryId });
    return node;
  }

  async transformResult({ result }: PluginTransformResultArgs) {
    return result;
  }
}

async function problemsOf(
  { name }: Backend,
  db: Db,
  { node, id }: Recorder['nodes'][number],
): Promise<string[]> {
  const query = db.getExecutor().compileQuery(node, id);
  const explain = name === 'sqlite' ? 'explain query plan' : 'explain (analyze, format json)';
  const statement = CompiledQuery.raw(`${explain} ${query.sql}`, [...query.parameters]);
  const { rows } = await db.executeQuery(statement);
  const problems =
    name === 'sqlite'
      ? sqliteProblems(rows as SqliteStep[])
      : postgresProblems(planOf(rows), /is_listed|as further/.test(query.sql));
  return problems.length === 0 ? [] : [...problems, query.sql, JSON.stringify(rows)];
}

interface SqliteStep {
  parent: number;
  detail: string;
}

/** A `select` either passes a table in the order of the list, or sorts: not both. */
function sqliteProblems(steps: SqliteStep[]): string[] {
  const problems = steps.filter(({ detail }) => /AUTOMATIC|MULTI-INDEX|SKIP/.test(detail));
  for (const level of Map.groupBy(steps, ({ parent }) => parent).values()) {
    if (!level.some(({ detail }) => detail.startsWith('USE TEMP B-TREE FOR ORDER BY'))) continue;
    const scans = level.filter(({ detail }) => /^SCAN (media|file|tag|media_tag)\b/.test(detail));
    problems.push(...scans);
  }
  return problems.map(({ detail }) => detail);
}

interface PostgresStep {
  'Node Type': string;
  'Actual Rows': number;
  'Actual Loops': number;
  Plans?: PostgresStep[];
}

function planOf(rows: unknown[]): PostgresStep | undefined {
  const [row] = rows as { 'QUERY PLAN': [{ Plan: PostgresStep }] }[];
  return row?.['QUERY PLAN'][0].Plan;
}

/** No step reads a table as it is stored, and none sorts more rows than a list may. */
function postgresProblems(step: PostgresStep | undefined, isShortWalk: boolean): string[] {
  if (step === undefined) return ['no plan'];
  const rows = step['Actual Rows'] * step['Actual Loops'];
  const type = step['Node Type'];
  const [below] = step.Plans ?? [];
  const sorted = type.includes('Sort') ? (below?.['Actual Rows'] ?? 0) : 0;
  const isTooMuch = sorted > (isShortWalk ? WALKED_MAX : SORTED_MAX);
  const isScan = type === 'Seq Scan' || type.startsWith('Hash Join') || type === 'Merge Join';
  return [
    ...(isScan || isTooMuch ? [`${type} of ${Math.max(rows, sorted)} rows`] : []),
    ...(step.Plans ?? []).flatMap((step) => postgresProblems(step, isShortWalk)),
  ];
}
