import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import SqliteDatabase from 'better-sqlite3';
import { median, type Round } from './compare.ts';
import { download, storeForDownload } from './download.ts';
import { readOperations } from './operation.ts';
import { binaryPayload, jpegPayloads, MIB } from './payload.ts';
import { load, type ReadOptions } from './reads.ts';
import { print, printTable } from './report.ts';
import type { RunningServer } from './scratch.ts';
import { seed } from './seed.ts';
import { sendWhole } from './sender/graphql.ts';
import { bearerToken, type ServerSetup, startTrivium } from './server.ts';
import { settleDisk, transfer } from './transfer.ts';

/** Number of new images. */
const IMAGES = 5000;
const DOWNLOADS_PER_ROUND = 4;
/** Time in which thumbnails are made without requests, for comparison. */
const QUIET_MS = 3000;

interface Work {
  title: string;
  unit: string;
  run: () => Promise<Round>;
}

/** The rounds of each work, and the thumbnails that were made meanwhile, per second. */
interface Measured {
  rates: Map<Work, number[]>;
  thumbnailsPerSecond: number;
}

/**
 * Downloads and reads, alone and while the thumbnails of 5,000 new JPEGs are made, by a server with one core. The
 * rates are compared with those of the same server before the images were uploaded.
 */
export async function benchBeside(setup: ServerSetup, options: ReadOptions): Promise<void> {
  const directory = setup.scratch.path('beside');
  const { bigFolderIds, deepMediaIds } = await seed(directory);
  const trivium = await startTrivium(setup, 'beside');
  const database = new SqliteDatabase(join(directory, 'trivium.db'), { readonly: true });
  try {
    const works = await toWorks(
      trivium,
      readOperations({ bigFolderIds, deepMediaIds })[0]!,
      options,
    );
    const measure = () => measureAll(works, options.rounds, database);
    const alone = await measure();
    await upload(trivium, directory);
    const beside = await measure();
    const left = IMAGES - countThumbnails(database);
    const quiet = await thumbnailsPerSecond(database, () => sleep(QUIET_MS));
    printResults(works, alone, beside);
    print(
      `  Thumbnails/s: ${beside.thumbnailsPerSecond.toFixed(1)} beside requests, ${quiet.toFixed(1)} alone.`,
    );
    if (left <= 0)
      throw new Error('All thumbnails had been made before the end of the last round.');
  } finally {
    database.close();
  }
  await trivium.stop();
}

async function toWorks(
  { url }: RunningServer,
  r1: ReturnType<typeof readOperations>[number],
  options: ReadOptions,
): Promise<Work[]> {
  const authorization = await bearerToken();
  const payload = binaryPayload(64 * MIB);
  const path = await storeForDownload(url, sendWhole(authorization), payload);
  const amount = (DOWNLOADS_PER_ROUND * payload.bytes.length) / 1e6;
  const bodies = [...r1.variables()].map((variables) => [
    Buffer.from(JSON.stringify({ query: r1.query, variables })),
  ]);
  let sent = 0;
  const headers = { authorization, 'content-type': 'application/json' };
  const next = () => {
    const body = bodies[sent++ % bodies.length]!;
    return { method: 'POST', path: '/graphql', headers, body };
  };
  return [
    {
      title: 'D1  download of 64 MiB',
      unit: 'MB/s',
      run: () => download(url, path, DOWNLOADS_PER_ROUND, amount),
    },
    { title: `R1  ${r1.title}`, unit: 'req/s', run: () => load(url, next, options) },
  ];
}

async function upload({ url }: RunningServer, directory: string): Promise<void> {
  const send = sendWhole(await bearerToken());
  const images = await jpegPayloads(IMAGES);
  await transfer(url, images, { concurrency: 16, unit: 'files/s', send });
  settleDisk(directory);
}

async function measureAll(
  works: readonly Work[],
  rounds: number,
  database: SqliteDatabase.Database,
): Promise<Measured> {
  const rates = new Map<Work, number[]>(works.map((work) => [work, []]));
  // The first round warms up.
  for (const { run } of works) await run();
  const perSecond = await thumbnailsPerSecond(database, async () => {
    for (let round = 0; round < rounds; round++) {
      for (const work of works) {
        const { amount, seconds } = await work.run();
        rates.get(work)!.push(amount / seconds);
      }
    }
  });
  return { rates, thumbnailsPerSecond: perSecond };
}

async function thumbnailsPerSecond(
  database: SqliteDatabase.Database,
  work: () => Promise<unknown>,
): Promise<number> {
  const [before, startedAt] = [countThumbnails(database), performance.now()];
  await work();
  return (countThumbnails(database) - before) / ((performance.now() - startedAt) / 1000);
}

function countThumbnails(database: SqliteDatabase.Database): number {
  const count = database.prepare<[], number>(
    `select count(*) from file where key = 'thumbnail.webp'`,
  );
  return count.pluck().get() ?? 0;
}

function printResults(works: readonly Work[], alone: Measured, beside: Measured): void {
  const rows = works.map((work) => {
    const [before, now] = [alone, beside].map(({ rates }) => median(rates.get(work)!));
    return [
      `${work.title}, ${work.unit}`,
      Math.round(before!).toLocaleString('en'),
      Math.round(now!).toLocaleString('en'),
      (now! / before!).toFixed(2),
    ];
  });
  const title = `While thumbnails of ${IMAGES.toLocaleString('en')} new images are made`;
  printTable(title, ['', 'alone', 'beside', 'beside/alone'], rows);
}
