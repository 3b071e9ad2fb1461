import { mkdirSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Contender, compare } from './compare.ts';
import { benchDownloads } from './download.ts';
import { printStandings } from './report.ts';
import type { RunningServer } from './scratch.ts';
import { type LimitVariant, sendToLimit } from './sender/limit.ts';
import type { Send } from './sender/sender.ts';
import { bearerToken, type ServerSetup, startLimit, startTrivium } from './server.ts';
import { settleDisk, transfer, withConnections } from './transfer.ts';
import { type UploadCase, uploadCases } from './upload-case.ts';

export interface UploadOptions {
  rounds: number;
  /** Cases whose title contains this; empty: all. */
  only: string;
}

interface Bench {
  setup: ServerSetup;
  trivium: RunningServer;
  limit: RunningServer;
  rounds: number;
}

const LIMITS: readonly (readonly [LimitVariant, string])[] = [
  ['bytes', 'limit: bytes only'],
  ['row', 'limit: MD5, row'],
  ['durable', 'limit: MD5, row, both synced'],
];

/** Uploads and downloads, against bare handlers whose names say what they do. */
export async function benchUploads(
  setup: ServerSetup,
  { rounds, only }: UploadOptions,
): Promise<void> {
  const limitDirectory = setup.scratch.path('limit');
  mkdirSync(limitDirectory);
  const script = new URL('./limit-upload-server.ts', import.meta.url);
  const limit = await startLimit(setup, script, limitDirectory);
  // What is measured is the request: jobs would compete with it for the one core.
  const trivium = await startTrivium(setup, 'uploads', { TRIVIUM_JOB_CONCURRENCY: '0' });
  const authorization = await bearerToken();
  for (const uploadCase of await uploadCases(authorization)) {
    if (!uploadCase.title.includes(only)) continue;
    await benchUpload({ setup, trivium, limit, rounds }, uploadCase);
  }
  await benchDownloads({ trivium, limit, authorization }, { rounds, only });
  await Promise.all([trivium.stop(), limit.stop()]);
}

async function benchUpload(bench: Bench, uploadCase: UploadCase): Promise<void> {
  const { title, unit, payloads, concurrency, chunkBytes, ours, keepsFiles } = uploadCase;
  const { setup, trivium, limit, rounds } = bench;
  const run = (url: string, send: Send) => () =>
    transfer(url, payloads, { concurrency, unit, send });
  const contenders: Contender[] = LIMITS.map(([variant, name]) => ({
    name,
    isLimit: true,
    pid: limit.pid,
    run: run(limit.url, sendToLimit(variant, chunkBytes)),
    tidy: async () => {
      if (!keepsFiles) await removeAllFromLimit(limit.url);
      settleDisk(setup.scratch.directory);
    },
  }));
  contenders.push({
    name: ours.name,
    isLimit: false,
    pid: trivium.pid,
    run: run(trivium.url, ours.send),
    tidy: async () => {
      if (!keepsFiles) await removeFiles(setup.scratch.path('uploads/blobs/stored'));
      settleDisk(setup.scratch.directory);
    },
  });
  printStandings(title, unit, await compare(contenders, rounds));
}

async function removeAllFromLimit(url: string): Promise<void> {
  await withConnections(url, 1, 0, async ([connection]) => {
    await connection!.request({ method: 'DELETE', path: '/' });
  });
}

/** Directories stay: the server makes each once, and knows it. */
async function removeFiles(directory: string): Promise<void> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  await Promise.all(files.map(({ parentPath, name }) => rm(join(parentPath, name))));
}
