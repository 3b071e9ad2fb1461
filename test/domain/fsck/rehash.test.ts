import { expect, it, vi } from 'vitest';
import { rehashNext } from '../../../src/domain/fsck/rehash.ts';
import { TASKS } from '../../../src/job/task/index.ts';
import { type TestServices, withServices } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { inPieces } from '../../support/bytes.ts';
import { corrupt, storeFile } from './library.ts';

const BYTES = Buffer.from('some bytes that nobody may lose');
const RUN_MS = 10 * 60_000;
const RUNS_A_DAY = 144;
const DAMAGED = { level: 'error', message: 'the stored bytes of a file are damaged' };

describeEachBackend('the slow re-hash', (backend) => {
  it('reads every file once in its days, a part in each run, and then begins again', () =>
    withServices(
      backend,
      async (services) => {
        await storeFiles(services, 100);
        for (let cycle = 1; cycle <= 2; cycle++) {
          const reads: number[] = [];
          for (let run = 0; run < RUNS_A_DAY; run++) reads.push(await runOnce(services));
          expect(reads.reduce((sum, read) => sum + read)).toBe(100);
          // Keys are random: no run has more than a fraction of the files.
          expect(Math.max(...reads)).toBeLessThan(10);
        }
      },
      { rehashDays: 1 },
    ));

  it('marks files whose bytes are wrong or missing, says so, and removes the mark when they are good', () =>
    withServices(
      backend,
      async (services) => {
        const [, wrong, missing] = await storeFiles(services, 3);
        await corrupt(services, wrong!.blob_key);
        await services.blobs.delete(missing!.blob_key);
        await runAll(services);
        expect(await markedIds(services)).toEqual([wrong!.id, missing!.id]);
        expect(services.logged.filter(({ level }) => level === 'error')).toEqual([
          DAMAGED,
          DAMAGED,
        ]);
        for (const { blob_key } of [wrong!, missing!]) {
          await services.blobs.delete(blob_key);
          await services.blobs.put(blob_key, BYTES.length, inPieces(BYTES));
        }
        await runAll(services);
        expect(await markedIds(services)).toEqual([]);
      },
      { rehashDays: 1 },
    ));

  it('goes on after a file that it has no right to read, and says so', () =>
    withServices(
      backend,
      async (services) => {
        const [first, ...others] = await storeFiles(services, 5);
        const original = services.blobs.read.bind(services.blobs);
        const denied = Object.assign(new Error('permission denied'), { code: 'EACCES' });
        vi.spyOn(services.blobs, 'read').mockImplementation((key, range) =>
          key === first!.blob_key ? Promise.reject(denied) : original(key, range),
        );
        for (const { blob_key } of others) await corrupt(services, blob_key);
        await runAll(services);
        expect(await markedIds(services)).toEqual(others.map(({ id }) => id));
        const message = 'the stored bytes of a file cannot be read';
        expect(services.logged).toContainEqual({ level: 'error', message });
      },
      { rehashDays: 1 },
    ));

  it('continues at its place after it was stopped, and catches up after a pause', () =>
    withServices(
      backend,
      async (services) => {
        await storeFiles(services, 40);
        const original = services.blobs.read.bind(services.blobs);
        const keys: string[] = [];
        let stop = new AbortController();
        vi.spyOn(services.blobs, 'read').mockImplementation(async (key, range) => {
          if (keys.push(key) === 5) stop.abort();
          return original(key, range);
        });
        await runOnce(services);
        // As after a week without the server.
        services.advance(7 * RUNS_A_DAY * RUN_MS);
        const reads: number[] = [];
        while (new Set(keys).size < 40) {
          stop = new AbortController();
          const before = keys.length;
          await rehashNext(services.as(), { signal: stop.signal }).catch((error) => {
            expect(error).toMatchObject({ name: 'AbortError' });
          });
          reads.push(keys.length - before);
        }
        // Only the file that was being read is read again.
        expect(keys).toHaveLength(41);
        expect(Math.max(...reads)).toBeLessThan(5);
        expect(reads.length).toBeLessThan(RUNS_A_DAY / 2);
      },
      { rehashDays: 1 },
    ));

  it('reads nothing while it is off', () =>
    withServices(
      backend,
      async (services) => {
        await storeFiles(services, 1);
        const read = vi.spyOn(services.blobs, 'read');
        await runAll(services);
        expect(read).not.toHaveBeenCalled();
      },
      { rehashDays: 0 },
    ));
});

/** Stores files whose keys are spread over all keys, as those of a large library are. */
async function storeFiles(services: TestServices, count: number) {
  const { id, ...first } = await storeFile(services, BYTES);
  const row = await services.db
    .selectFrom('file')
    .where('id', '=', id)
    .selectAll()
    .executeTakeFirstOrThrow();
  const stored = [{ id, ...first }];
  for (let index = 1; index < count; index++) {
    const blob_key = keyOf(index / count);
    await services.blobs.put(blob_key, BYTES.length, inPieces(BYTES, 100));
    const { id: _, ...columns } = row;
    const copy = {
      ...columns,
      uuid: services.newId(),
      key: blob_key,
      url_name: blob_key,
      blob_key,
    };
    const inserted = await services.db
      .insertInto('file')
      .values(copy)
      .returning(['id', 'uuid', 'media_id', 'blob_key', 'size_bytes'])
      .executeTakeFirstOrThrow();
    stored.push(inserted);
  }
  return stored;
}

function keyOf(fraction: number): string {
  const digits = Math.floor(fraction * 2 ** 48).toString(16);
  return digits.padStart(12, '0').padEnd(32, '0');
}

const RUN = {
  jobId: 1,
  startedBy: null,
  signal: new AbortController().signal,
  progress: () => undefined,
};

/** Runs the job once, and lets the time pass until the next run. Returns how many blobs it has read. */
async function runOnce(services: TestServices): Promise<number> {
  const result = await TASKS['rehash-file'](services.as(), {}, RUN);
  services.advance(RUN_MS);
  return (result as { blobs_read: number }).blobs_read;
}

async function runAll(services: TestServices): Promise<void> {
  for (let run = 0; run < RUNS_A_DAY; run++) await runOnce(services);
}

async function markedIds({ db }: TestServices): Promise<number[]> {
  const query = db.selectFrom('file').where('damaged_at', 'is not', null).orderBy('id');
  return (await query.select('id').execute()).map(({ id }) => id);
}
