import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { describe, expect, it, vi } from 'vitest';
import { type Db, openDb } from '../../../src/store/db.ts';
import { listenForNotices } from '../../../src/store/event/notice.ts';
import { insertJob } from '../../../src/store/job/job.ts';
import { inTransaction } from '../../../src/store/transaction.ts';
import { BACKENDS } from '../../support/backend.ts';
import { type TcpProxy, withTcpProxy } from '../../support/tcp-proxy.ts';

const POSTGRES = BACKENDS.find(({ name }) => name === 'postgres');

describe.skipIf(POSTGRES === undefined)('notices of jobs, which only PostgreSQL sends', () => {
  it('arrive after the commit when a job waits, has to stop, or is deleted while it runs', () =>
    withNotices(async (db, count) => {
      const ids: number[] = [];
      await tells(count, 1, () =>
        inTransaction(db, async (db) => {
          ids.push(await makeJob(db));
          await sleep(50);
          expect(count()).toBe(1);
        }),
      );
      const [id = 0] = ids;
      const set = (columns: object) =>
        db.updateTable('job').set(columns).where('id', '=', id).execute();
      await tells(count, 0, () => set({ status: 'running', lease_token: 'a' }));
      await tells(count, 0, () => set({ progress: 0.5, heartbeat_at: 1 }));
      await tells(count, 1, () => set({ cancel_requested_at: 1 }));
      await set({ cancel_requested_at: null });
      await tells(count, 1, () => set({ status: 'pending' }));
      await tells(count, 1, () => set({ scheduled_at: 5 }));
      await tells(count, 0, () => set({ status: 'running' }));
      await tells(count, 1, () => db.deleteFrom('job').execute());
    }));

  it('resume after the connection was lost, and report at once that some may have been missed', () =>
    withNotices(async (db, count, gaps) => {
      const before = count();
      expect(gaps()).toBe(0);
      await sql`select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and application_name = 'trivium notices'`.execute(db);
      await vi.waitFor(() => expect(count()).toBe(before + 1), { timeout: 60_000 });
      expect(gaps()).toBe(1);
      await tells(count, 1, () => makeJob(db));
    }));

  it('resume after a hang of the database, whenever it begins and ends', () =>
    withProxiedNotices(async (proxy, isListening, gaps) => {
      const faults: (() => void)[] = [
        () => undefined,
        proxy.cutAll,
        () => {
          proxy.cutAll();
          proxy.cutAt(/listen/, 'unsent');
        },
        () => {
          proxy.cutAll();
          proxy.cutAt(/listen/, 'unanswered');
        },
      ];
      for (let round = 0; round < 16; round++) {
        const before = gaps();
        faults[round % faults.length]!();
        // While the connection is idle, closed, being opened, or begins to listen.
        await sleep(round * 3);
        proxy.hang(true);
        await sleep(round % 3 === 0 ? 3 * TIMES.timeoutMs : round * 5);
        proxy.hang(false);
        await expect.poll(isListening).toBe(true);
        if (round % faults.length > 0) expect(gaps()).toBeGreaterThan(before);
      }
    }));

  it('end while there is no connection', async () => {
    const notices = listenForNotices('postgres://127.0.0.1:9/none', {
      onJob: () => undefined,
      onEvents: () => undefined,
      onGap: () => undefined,
    });
    expect(await notices.tellEvents('lost')).toBe(false);
    await sleep(50);
    await notices.stop();
  });
});

const TIMES = { retryMs: 10, testMs: 100, timeoutMs: 250 };

/**
 * Runs `work` with a process that listens through a proxy. `isListening`: whether the process receives a notice that it
 * sends itself. `gaps`: the number of reported gaps.
 */
async function withProxiedNotices(
  work: (proxy: TcpProxy, isListening: () => Promise<boolean>, gaps: () => number) => Promise<void>,
): Promise<void> {
  await POSTGRES?.withUrl((url) =>
    withTcpProxy(url, async (proxy) => {
      const texts = new Set<string>();
      let gaps = 0;
      const onGap = () => {
        gaps++;
      };
      const onEvents = (text: string) => texts.add(text);
      const listeners = { onJob: () => undefined, onEvents, onGap };
      const notices = listenForNotices(proxy.through(url), listeners, TIMES);
      const isListening = async () => {
        const text = crypto.randomUUID();
        const isAccepted = await notices.tellEvents(text);
        if (isAccepted) await vi.waitUntil(() => texts.has(text), { timeout: 1000 });
        return isAccepted;
      };
      try {
        await expect.poll(isListening).toBe(true);
        await work(proxy, isListening, () => gaps);
      } finally {
        await notices.stop();
      }
    }),
  );
}

/** Runs `work` once the process listens. `count`: the notices so far. */
async function withNotices(
  work: (db: Db, count: () => number, gaps: () => number) => Promise<void>,
): Promise<void> {
  await POSTGRES?.withUrl(async (url) => {
    const db = openDb({ url });
    let count = 0;
    const onJob = () => {
      count++;
    };
    let gaps = 0;
    const onGap = () => {
      gaps++;
    };
    const notices = listenForNotices(url, { onJob, onEvents: () => undefined, onGap });
    try {
      await vi.waitUntil(() => count === 1);
      await work(
        db,
        () => count,
        () => gaps,
      );
    } finally {
      await notices.stop();
      await db.destroy();
    }
  });
}

/** Expects exactly that many notices. */
async function tells(
  count: () => number,
  expected: number,
  change: () => Promise<unknown>,
): Promise<void> {
  const before = count();
  await change();
  await vi.waitUntil(() => count() >= before + expected);
  await sleep(40);
  expect(count() - before).toBe(expected);
}

async function makeJob(db: Db): Promise<number> {
  const times = { scheduled_at: 1, created_at: 1, updated_at: 1 };
  const counts = { priority: 0, progress: 0, retry_count: 0, max_retries: 0 };
  const job = { uuid: crypto.randomUUID(), job_class: 'sweep', arguments: '{}', status: 'pending' };
  return (await insertJob(db, { ...job, ...times, ...counts })).id;
}
