import { type ColumnDefinitionBuilder, sql } from 'kysely';
import type { Db } from '../db.ts';
import { columnTypes, dialectOf } from '../dialect.ts';

/**
 * Adds what quotas count: the client's address of media, files and uploads (a keyed hash), and the table `usage`, which
 * triggers keep equal to the rows, so that no code that inserts or deletes can forget it. Adds the place of a job in
 * the round-robin of clients.
 */
export async function up(db: Db): Promise<void> {
  const { id, integer, text } = columnTypes(db);
  for (const table of ['media', 'file', 'upload']) {
    await db.schema.alterTable(table).addColumn('client_hash', text).execute();
  }
  const zero = (c: ColumnDefinitionBuilder) => c.notNull().defaultTo(0);
  await db.schema
    .createTable('usage')
    .addColumn('id', id)
    .addColumn('subject', text, (c) => c.notNull())
    .addColumn('uploads', integer, zero)
    .addColumn('promised_bytes', integer, zero)
    .addColumn('stored_bytes', integer, zero)
    .addColumn('items', integer, zero)
    .execute();
  const isPostgres = dialectOf(db) === 'postgres';
  const usageIndex = db.schema.createIndex('usage_subject').on('usage').columns(['subject']);
  await (isPostgres ? usageIndex : usageIndex.unique()).execute();
  await countExisting(db);
  await (isPostgres ? countOnPostgres(db) : countOnSqlite(db));
  await addTurns(db);
}

/** The subjects that a row counts for, as `usageSubjects` of the domain names them. */
const SUBJECTS = (row: string, owner: string) =>
  [
    `'all'`,
    `case when ${row}.${owner} is not null then 'viewer:' || ${row}.${owner}
      when ${row}.client_hash is not null then 'anonymous:' || ${row}.client_hash end`,
    `'address:' || ${row}.client_hash`,
  ] as const;

interface Counted {
  table: string;
  owner: string;
  /** The rows that count, and what each adds. */
  when: (row: string) => string;
  columns: Readonly<Record<string, (row: string) => string>>;
}

const COUNTED: readonly Counted[] = [
  {
    table: 'media',
    owner: 'owner',
    // All but the hidden root.
    when: (row) => `${row}.id <> 1`,
    columns: { items: () => '1' },
  },
  {
    table: 'file',
    owner: 'created_by',
    when: () => 'true',
    columns: { stored_bytes: (row) => `${row}.size_bytes` },
  },
  {
    table: 'upload',
    owner: 'owner',
    when: (row) => `${row}.status = 'open'`,
    columns: { uploads: () => '1', promised_bytes: (row) => `${row}.total_bytes` },
  },
];

async function countExisting(db: Db): Promise<void> {
  for (const { table, owner, when, columns } of COUNTED) {
    const [all, viewer] = SUBJECTS(table, owner);
    const names = Object.keys(columns);
    const sums = Object.values(columns).map((value) => `sum(${value(table)})`);
    for (const subject of [all, viewer]) {
      const changes = names.map((name) => `${name} = usage.${name} + excluded.${name}`);
      const merge =
        dialectOf(db) === 'postgres' ? '' : `on conflict (subject) do update set ${changes}`;
      await run(
        db,
        `insert into usage (subject, ${names}) select ${subject}, ${sums} from ${table}
          where ${when(table)} and ${subject} is not null group by 1 ${merge}`,
      );
    }
  }
}

/** SQLite has one writer: each subject has one row, which is changed in place. */
async function countOnSqlite(db: Db): Promise<void> {
  for (const counted of COUNTED) {
    const { table, when } = counted;
    const add = (row: string, sign: '' | '-') => sqliteChange(counted, row, sign);
    const trigger = (name: string, event: string, condition: string, body: string) =>
      run(db, `create trigger usage_${table}_${name} ${event} when ${condition} begin ${body} end`);
    await trigger('insert', `after insert on ${table}`, when('new'), add('new', ''));
    await trigger('delete', `after delete on ${table}`, when('old'), add('old', '-'));
    const changed = UPDATED[table];
    if (changed === undefined) continue;
    const event = `after update of ${changed} on ${table}`;
    const differs = `old.${changed} is not new.${changed}`;
    await trigger('gain', event, `${differs} and ${when('new')}`, add('new', ''));
    await trigger('loss', event, `${differs} and ${when('old')}`, add('old', '-'));
  }
}

/** The column of a table whose change changes what a row counts. */
const UPDATED: Readonly<Record<string, string>> = { file: 'size_bytes', upload: 'status' };

function sqliteChange({ owner, columns }: Counted, row: string, sign: string): string {
  const names = Object.keys(columns);
  const values = Object.values(columns).map((value) => `${sign}${value(row)}`);
  const changes = names.map((name) => `${name} = ${name} + excluded.${name}`);
  return SUBJECTS(row, owner)
    .map(
      (subject) => `insert into usage (subject, ${names}) select ${subject}, ${values}
        where ${subject} is not null on conflict (subject) do update set ${changes};`,
    )
    .join('\n');
}

/**
 * On PostgreSQL each statement adds a row for each subject, and a usage is the sum of its rows: if all changed one row,
 * the uploads of one viewer would wait for each other's commits, and a deletion that touches many owners could
 * deadlock. `compactUsage` of the store merges the rows.
 */
async function countOnPostgres(db: Db): Promise<void> {
  for (const counted of COUNTED) {
    const { table } = counted;
    const trigger = async (name: string, event: string, body: string) => {
      const call = `usage_${table}_${name}`;
      await run(
        db,
        `create function ${call}() returns trigger language plpgsql as $$
          begin ${body} return null; end $$`,
      );
      await run(db, `create trigger ${call} ${event} execute function ${call}()`);
    };
    const rows = (kind: 'new' | 'old') => `referencing ${kind} table as changed for each statement`;
    const all = (sign: '' | '-') => postgresChange(counted, 'changed', sign, 'from changed');
    await trigger('insert', `after insert on ${table} ${rows('new')}`, all(''));
    await trigger('delete', `after delete on ${table} ${rows('old')}`, all('-'));
    const changed = UPDATED[table];
    if (changed === undefined) continue;
    const event = `after update of ${changed} on ${table} for each row
      when (old.${changed} is distinct from new.${changed})`;
    const gain = postgresChange(counted, 'new', '', '');
    const loss = postgresChange(counted, 'old', '-', '');
    await trigger('update', event, gain + loss);
  }
}

function postgresChange(
  { owner, columns, when }: Counted,
  row: string,
  sign: string,
  from: string,
): string {
  const names = Object.keys(columns);
  const values = Object.values(columns).map((value) => `${sign}sum(${value(row)})`);
  return SUBJECTS(row, owner)
    .map(
      (subject) => `insert into usage (subject, ${names}) select ${subject}, ${values} ${from}
        where ${when(row)} and ${subject} is not null group by 1;`,
    )
    .join('\n');
}

/** Gives each job its client, and its place among the jobs of all clients; see `insertJob` of the store. */
async function addTurns(db: Db): Promise<void> {
  const { integer, text } = columnTypes(db);
  await run(db, 'drop index job_claim');
  await db.schema
    .alterTable('job')
    .addColumn('client', text, (c) => c.notNull().defaultTo(''))
    .execute();
  await db.schema
    .alterTable('job')
    .addColumn('turn', integer, (c) => c.notNull().defaultTo(0))
    .execute();
  // A planner without statistics must find one index only for each query: no other one begins with the class, except
  // `job_due`, which serves no query that does not repeat its condition.
  await run(
    db,
    `create index job_claim on job (job_class, priority desc, turn, scheduled_at, id)
      where status = 'pending'`,
  );
  await run(db, `create index job_turn on job (client, job_class, turn) where status = 'pending'`);
  await run(
    db,
    `create index job_due on job (job_class, scheduled_at)
      where status = 'pending' and scheduled_at > 0`,
  );
}

async function run(db: Db, statement: string): Promise<void> {
  await sql.raw(statement).execute(db);
}
