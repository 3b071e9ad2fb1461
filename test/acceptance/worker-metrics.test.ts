import { expect, test } from 'vitest';
import { BACKENDS } from '../support/backend.ts';
import { parseMetrics, type Scrape } from '../support/metrics.ts';
import { askNext, type WorkerServer, withWorkers } from '../support/worker-server.ts';

const SLOW = { timeout: 20_000, interval: 50 };
const LONG = { timeout: 120_000 };
const SQLITE = BACKENDS[0]!;

const REQUESTS = 'trivium_http_requests_total{dialect="selfcommunity",method="GET",status="200"}';

test('a scrape of any worker has the metrics of all, the queue once', LONG, () =>
  withWorkers(SQLITE, async (server) => {
    await ask(server, 7);
    await expect.poll(() => values(server, REQUESTS), SLOW).toEqual([7, 7, 7]);
    const scrape = await scrapeNext(server);
    expect(scrape.value('trivium_workers')).toBe(3);
    expect(scrape.value('trivium_workers_answered')).toBe(3);
    expect(scrape.value('trivium_jobs_pending{class="sweep"}')).toBe(1);
    // Three workers and the primary process.
    expect(scrape.value('process_resident_memory_bytes')).toBeGreaterThan(4 * 50_000_000);
  }),
);

test('counters stay when a worker is killed, and a new one counts on', LONG, () =>
  withWorkers(SQLITE, async (server) => {
    await ask(server, 6);
    await expect.poll(() => values(server, REQUESTS), SLOW).toEqual([6, 6, 6]);
    const before = server.workers();
    process.kill(before[1]!, 'SIGKILL');
    await expect
      .poll(async () => (await scrapeNext(server)).value('trivium_workers'), SLOW)
      .toBe(2);
    expect((await scrapeNext(server)).value(REQUESTS)).toBe(6);
    await expect.poll(() => values(server, 'trivium_workers_answered'), SLOW).toEqual([3, 3, 3]);
    await ask(server, 3);
    await expect.poll(() => values(server, REQUESTS), SLOW).toEqual([9, 9, 9]);
  }),
);

test('a worker that hangs is left out of gauges, and its counters stay', LONG, () =>
  withWorkers(SQLITE, async (server) => {
    await ask(server, 6);
    await expect.poll(() => values(server, REQUESTS), SLOW).toEqual([6, 6, 6]);
    const hung = server.workers()[2]!;
    process.kill(hung, 'SIGSTOP');
    try {
      // One of these may reach the worker that hangs.
      const scrape = await Promise.any([1, 2].map(() => scrapeNext(server)));
      expect(scrape.value('trivium_workers')).toBe(3);
      expect(scrape.value('trivium_workers_answered')).toBe(2);
      expect(scrape.value(REQUESTS)).toBe(6);
    } finally {
      process.kill(hung, 'SIGCONT');
    }
    await expect.poll(() => values(server, 'trivium_workers_answered'), SLOW).toEqual([3, 3, 3]);
    expect(await values(server, REQUESTS)).toEqual([6, 6, 6]);
  }),
);

async function ask(server: WorkerServer, count: number): Promise<void> {
  for (let number = 0; number < count; number++) {
    expect((await askNext(server, 'GET /api/v2/tag/')).status).toBe(200);
  }
}

/** Returns the value that each of three workers gives. */
async function values(server: WorkerServer, series: string): Promise<number[]> {
  const scrapes: Scrape[] = [];
  for (let number = 0; number < 3; number++) scrapes.push(await scrapeNext(server));
  return scrapes.map(({ value }) => value(series));
}

async function scrapeNext(server: WorkerServer): Promise<Scrape> {
  const { status, body } = await askNext(server, 'GET /metrics');
  if (status !== 200) throw new Error(`/metrics: ${status} ${body}`);
  return parseMetrics(body);
}
