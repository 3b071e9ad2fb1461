import { setTimeout as sleep } from 'node:timers/promises';
import { type Contender, compare, type Round } from './compare.ts';
import { download, storeForDownload } from './download.ts';
import { binaryPayload, MIB, type Payload, splitPayload } from './payload.ts';
import { peakRssBytes, rssBytes } from './process-status.ts';
import { formatMib, printStandings, printTable } from './report.ts';
import type { RunningServer } from './scratch.ts';
import { sendChunks, sendWhole } from './sender/graphql.ts';
import type { Send } from './sender/sender.ts';
import { bearerToken, type ServerSetup } from './server.ts';
import { type Bucket, dropDatabase, startBucket, startOnPostgres } from './storage-server.ts';
import { settleDisk, transfer, withConnections } from './transfer.ts';
import { removeFiles } from './uploads.ts';

/** Options of `benchStorage`. */
export interface StorageOptions {
  rounds: number;
  /** Cases whose title contains this; empty: all. */
  only: string;
}

interface Bench {
  setup: ServerSetup;
  disk: RunningServer;
  s3: RunningServer;
  bucket: Bucket;
  authorization: string;
  rounds: number;
}

const CHUNK_BYTES = 5 * MIB;
const DOWNLOADS = 4;

/** Issue 17: memory stays flat for 1 GiB. */
const GROWTH_BYTES_MAX = 64 * MIB;

/** Files in S3 against files on disk, both with PostgreSQL, and requests straight to the server of S3. */
export async function benchStorage(
  setup: ServerSetup,
  { rounds, only }: StorageOptions,
): Promise<void> {
  const bucket = await startBucket(setup);
  try {
    const disk = await startOnPostgres(setup, 'disk', {});
    const s3 = await startOnPostgres(setup, 'bucket', bucket.variables);
    const bench = { setup, disk, s3, bucket, authorization: await bearerToken(), rounds };
    for (const [title, run] of Object.entries(CASES)) {
      if (title.includes(only)) await run(bench, title);
    }
    await Promise.all([disk.stop(), s3.stop()]);
    if (MEMORY_TITLE.includes(only)) await benchGrowth(bench);
  } finally {
    await bucket.stop();
    for (const name of ['disk', 'bucket', 'memory']) await dropDatabase(name);
  }
}

const CASES: Record<string, (bench: Bench, title: string) => Promise<void>> = {
  'T1  256 MiB in 5 MiB chunks': (bench, title) =>
    benchUpload(bench, title, sendChunks(bench.authorization, CHUNK_BYTES)),
  'T2  256 MiB in one request': (bench, title) =>
    benchUpload(bench, title, sendWhole(bench.authorization)),
  'T3  download of 64 MiB': benchDownload,
};

const MEMORY_TITLE = 'T4  RSS of the server in MiB: 1 GiB in 5 MiB chunks, and its download';

async function benchUpload(bench: Bench, title: string, send: Send): Promise<void> {
  const { setup, disk, s3, bucket, rounds } = bench;
  const payload = binaryPayload(256 * MIB);
  const parts = splitPayload(payload, 8 * MIB, 32);
  const upload = ({ url }: RunningServer) =>
    transfer(url, [payload], { concurrency: 1, unit: 'MB/s', send });
  const contender = (
    name: string,
    { pid }: RunningServer,
    run: () => Promise<Round>,
  ): Contender => ({
    name,
    isLimit: pid !== s3.pid,
    pid,
    run,
    async tidy() {
      await bucket.empty();
      await removeFiles(setup.scratch.path('disk/blobs/stored'));
      settleDisk(setup.scratch.directory);
    },
  });
  const contenders = [
    contender('Trivium, disk', disk, () => upload(disk)),
    contender('raw PUT of 8 MiB parts', bucket, () => putRaw(bucket, parts)),
    contender('Trivium, S3', s3, () => upload(s3)),
  ];
  printStandings(title, 'MB/s', await compare(contenders, rounds));
}

async function putRaw(bucket: Bucket, parts: readonly Payload[]): Promise<Round> {
  const paths = await Promise.all(
    parts.map((_, index) => bucket.signedPath('PUT', `raw-${index}`)),
  );
  const amount = parts.reduce((sum, { bytes }) => sum + bytes.length, 0) / 1e6;
  return withConnections(bucket.url, 1, amount, async ([connection]) => {
    for (const [index, { bytes }] of parts.entries()) {
      const request = { method: 'PUT', path: paths[index]!, body: [bytes] };
      const { status, body } = await connection!.request(request);
      if (status !== 200) throw new Error(`PUT: ${status} ${body}`);
    }
  });
}

async function benchDownload(bench: Bench, title: string): Promise<void> {
  const { disk, s3, bucket, authorization, rounds } = bench;
  const payload = binaryPayload(64 * MIB);
  await putRaw(bucket, [payload]);
  const amount = (DOWNLOADS * payload.bytes.length) / 1e6;
  const contender = async (name: string, server: RunningServer, path: string) => ({
    name,
    isLimit: server !== s3,
    pid: server.pid,
    run: () => download(server.url, path, DOWNLOADS, amount),
  });
  const store = (url: string) => storeForDownload(url, sendWhole(authorization), payload);
  const contenders = [
    await contender('Trivium, disk', disk, await store(disk.url)),
    await contender('raw GET', bucket, await bucket.signedPath('GET', 'raw-0')),
    await contender('Trivium, S3', s3, await store(s3.url)),
  ];
  printStandings(title, 'MB/s', await compare(contenders, rounds));
}

/** RSS of a fresh server that small uploads and downloads have warmed up. */
async function benchGrowth({ setup, bucket, authorization }: Bench): Promise<void> {
  const { url, pid, stop } = await startOnPostgres(setup, 'memory', bucket.variables);
  const startBytes = rssBytes(pid);
  const send = sendChunks(authorization, CHUNK_BYTES);
  const small = splitPayload(binaryPayload(50 * MIB), MIB / 2, 100);
  await transfer(url, small, { concurrency: 1, unit: 'MB/s', send });
  const smallPath = await storeForDownload(url, send, small[0]!);
  await download(url, smallPath, 100, 1);
  const rows: string[][] = [];
  const measure = async (title: string, work: () => Promise<unknown>) => {
    // Garbage of what ran before is not growth.
    await sleep(1000);
    const warmBytes = rssBytes(pid);
    const peakBytes = await peakRssBytes(pid, work);
    await sleep(1000);
    const growthBytes = peakBytes - warmBytes;
    const figures = [startBytes, warmBytes, peakBytes, rssBytes(pid), growthBytes];
    const verdict = growthBytes <= GROWTH_BYTES_MAX ? 'PASS' : 'FAIL';
    rows.push([title, ...[...figures, GROWTH_BYTES_MAX].map(formatMib), verdict]);
  };
  let path = '';
  await measure('upload', async () => {
    path = await storeForDownload(url, send, binaryPayload(1024 * MIB));
  });
  await measure('download', () => download(url, path, 1, 1));
  const head = ['', 'start', 'before', 'peak', 'after', 'growth', 'bound', ''];
  printTable(MEMORY_TITLE, head, rows);
  await stop();
}
