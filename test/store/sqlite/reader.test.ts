import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { expect, it, vi } from 'vitest';
import type { Statement } from '../../../src/store/sqlite/connection.ts';
import { createReaderPool, type ReaderPoolOptions } from '../../../src/store/sqlite/pool.ts';
import { type Remote, startReaderProcess } from '../../../src/store/sqlite/remote.ts';
import { BACKENDS } from '../../support/backend.ts';
import { spawnNode } from '../../support/process.ts';

const sqlite = BACKENDS.find(({ name }) => name === 'sqlite')!;

/** A statement that never ends. */
const ENDLESS = select(
  'with recursive n(x) as (select 1 union all select x from n) select x from n where x = 2',
);

function select(sql: string): Statement {
  return { sql, parameters: [] };
}

/** Runs `work` with a pool of one reader, and the readers that it has started so far. */
function withPool(
  work: (pool: ReturnType<typeof createReaderPool>, started: Remote[]) => Promise<void>,
  options: Partial<ReaderPoolOptions> = {},
): Promise<void> {
  return sqlite.withUrl(async (url) => {
    const started: Remote[] = [];
    const start = () => {
      const reader = startReaderProcess(url.slice('sqlite:'.length));
      started.push(reader);
      return reader;
    };
    const pool = createReaderPool({ start, readersMax: 1, limitMs: 60_000, ...options });
    await work(pool, started).finally(() => pool.end());
  });
}

it('a reader starts with the first statement, and serves the next ones', () =>
  withPool(async (pool, started) => {
    expect(started).toHaveLength(0);
    expect(await pool.run(select('select 1 as one'))).toEqual({ rows: [{ one: 1 }] });
    expect(await pool.run({ sql: 'select ? as value', parameters: ['ä'] })).toEqual({
      rows: [{ value: 'ä' }],
    });
    expect(started).toHaveLength(1);
  }));

it('an error of a statement is an error of SQLite, and the reader goes on', () =>
  withPool(async (pool, started) => {
    await expect(pool.run(select('select * from missing'))).rejects.toMatchObject({
      name: 'SqliteError',
      code: 'SQLITE_ERROR',
      message: 'no such table: missing',
    });
    await pool.run(select('select 1'));
    expect(started).toHaveLength(1);
  }));

it('a reader refuses every change', () =>
  withPool(async (pool) => {
    await expect(pool.run(select('delete from tag'))).rejects.toMatchObject({
      code: 'SQLITE_READONLY',
    });
  }));

it('a statement is stopped at the time limit, whatever it does, and the next one runs on a new reader', () =>
  withPool(
    async (pool, started) => {
      await expect(pool.run(ENDLESS)).rejects.toMatchObject({
        name: 'DatabaseUnavailableError',
        reason: 'timeout',
      });
      await pool.run(select('select 1')).catch(() => undefined);
      expect(started).toHaveLength(2);
      expect(started[0]?.isGone).toBe(true);
    },
    { limitMs: 1000 },
  ));

it('a running statement is stopped when its signal aborts', () =>
  withPool(async (pool, started) => {
    const client = new AbortController();
    const running = pool.run(ENDLESS, { signal: client.signal });
    const next = pool.run(select('select 1 as one'));
    client.abort();
    await expect(running).rejects.toMatchObject({ reason: 'cancelled' });
    // It would wait for ever.
    expect(await next).toEqual({ rows: [{ one: 1 }] });
    expect(started).toHaveLength(2);
  }));

it('a waiting statement never runs once its signal has aborted', () =>
  withPool(async (pool, started) => {
    const [busy, gone] = [new AbortController(), new AbortController()];
    const running = pool.run(ENDLESS, { signal: busy.signal });
    const waiting = pool.run(ENDLESS, { signal: gone.signal });
    gone.abort();
    await expect(waiting).rejects.toMatchObject({ reason: 'cancelled' });
    await expect(pool.run(ENDLESS, { signal: gone.signal })).rejects.toMatchObject({
      reason: 'cancelled',
    });
    busy.abort();
    await expect(running).rejects.toMatchObject({ reason: 'cancelled' });
    await pool.run(select('select 1'));
    expect(started).toHaveLength(2);
  }));

it('a short statement whose signal aborts does not cost a reader', () =>
  withPool(
    async (pool, started) => {
      await pool.run(select('select 1'));
      const client = new AbortController();
      const running = pool.run(select('select 1'), { signal: client.signal });
      client.abort();
      await expect(running).rejects.toMatchObject({ reason: 'cancelled' });
      await pool.run(select('select 1'));
      expect(started).toHaveLength(1);
    },
    { cancelGraceMs: 60_000 },
  ));

it('requests take turns: one with many statements delays another one by one', () =>
  withPool(async (pool) => {
    const [many, few] = [new AbortController().signal, new AbortController().signal];
    const order: string[] = [];
    const run = async (name: string, signal: AbortSignal) => {
      await pool.run(select('select 1'), { signal });
      order.push(name);
    };
    const all = ['a', 'b', 'c', 'd'].map((name) => run(name, many));
    await Promise.all([...all, run('other', few)]);
    expect(order).toEqual(['a', 'b', 'other', 'c', 'd']);
  }));

it('owners take turns: one with many requests delays another one by one statement', () =>
  withPool(async (pool) => {
    const order: string[] = [];
    const run = async (name: string, owner: string) => {
      const { signal } = new AbortController();
      await pool.run(select('select 1'), { signal, owner });
      order.push(name);
    };
    const all = ['a', 'b', 'c', 'd'].map((name) => run(name, 'many'));
    await Promise.all([...all, run('other', 'few'), run('another', 'few')]);
    expect(order).toEqual(['a', 'b', 'other', 'c', 'another', 'd']);
  }));

it('the statement of a reader that dies fails, and another reader takes its place', () =>
  withPool(async (pool, started) => {
    const running = pool.run(ENDLESS);
    const next = pool.run(select('select 1 as one'));
    started[0]?.kill();
    await expect(running).rejects.toMatchObject({
      name: 'DatabaseUnavailableError',
      reason: 'connection',
    });
    expect(await next).toEqual({ rows: [{ one: 1 }] });
  }));

it('a reader that dies while it is idle is replaced', () =>
  withPool(async (pool, started) => {
    await pool.run(select('select 1'));
    started[0]?.kill();
    await expect.poll(() => started[0]?.isGone).toBe(true);
    expect(await pool.run(select('select 1 as one'))).toEqual({ rows: [{ one: 1 }] });
  }));

it('an idle reader ends after a while', () =>
  withPool(
    async (pool, started) => {
      await pool.run(select('select 1'));
      await expect.poll(() => started[0]?.isGone).toBe(true);
      expect(await pool.run(select('select 1 as one'))).toEqual({ rows: [{ one: 1 }] });
    },
    { idleMs: 1 },
  ));

it('the end of the pool ends running and waiting statements and all readers', () =>
  withPool(async (pool, started) => {
    const statements = [pool.run(ENDLESS), pool.run(ENDLESS)];
    const failed = Promise.allSettled(statements);
    await pool.end();
    expect(await failed).toMatchObject([{ status: 'rejected' }, { status: 'rejected' }]);
    expect(started.map(({ isGone }) => isGone)).toEqual([true]);
  }));

it('the end of the pool waits for readers that have just started, and for those that end because they are idle', () =>
  withPool(
    async (pool, started) => {
      await pool.run(select('select 1'));
      const [idle] = started as [Remote];
      const end = vi.spyOn(idle, 'end');
      await vi.waitUntil(() => end.mock.calls.length > 0, { interval: 1 });
      const starting = pool.run(select('select 1'));
      await Promise.all([pool.end(), expect(starting).rejects.toThrow()]);
      expect(started.map(({ isGone }) => isGone)).toEqual([true, true]);
    },
    { idleMs: 50 },
  ));

it.each([
  ['dead', 'silently', 0, { code: 0, errors: '' }],
  [
    'alive',
    'with an error',
    process.pid,
    { code: 1, errors: expect.stringContaining('Cannot open database') },
  ],
])(
  'a reader whose file is missing, and whose parent is %s, ends %s',
  async (_state, _how, parent, end) => {
    const child = spawnNode(
      ['src/store/sqlite/reader-process.ts', '/none/trivium.db', String(parent)],
      {},
      { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] },
    );
    const errors = text(child.stderr!);
    const [code] = await once(child, 'exit');
    expect({ code, errors: await errors }).toEqual(end);
  },
);
