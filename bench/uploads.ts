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
  /** Another checkout, installed, that is measured too; null: none. */
  before: URL | null;
}

interface Bench {
  setup: ServerSetup;
  trivium: RunningServer;
  limit: RunningServer;
  before: RunningServer | null;
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
  { rounds, only, before: checkout }: UploadOptions,
): Promise<void> {
  const limitDirectory = setup.scratch.path('limit');
  mkdirSync(limitDirectory);
  const script = new URL('./limit-upload-server.ts', import.meta.url);
  const limit = await startLimit(setup, script, limitDirectory);
  // What is measured is the request: jobs would compete with it for the one core.
  const settings = { TRIVIUM_JOB_CONCURRENCY: '0' };
  const trivium = await startTrivium(setup, 'uploads', settings);
  const before = checkout && (await startTrivium(setup, 'before', settings, checkout));
  const authorization = await bearerToken();
  for (const uploadCase of await uploadCases(authorization)) {
    if (!uploadCase.title.includes(only)) continue;
    await benchUpload({ setup, trivium, limit, before, rounds }, uploadCase);
  }
  await benchDownloads({ trivium, limit, before, authorization }, { rounds, only });
  await Promise.all([trivium, limit, before].map((server) => server?.stop()));
}

async function benchUpload(bench: Bench, uploadCase: UploadCase): Promise<void> {
  const { title, unit, payloads, concurrency, chunkBytes, ours, keepsFiles } = uploadCase;
  const { setup, trivium, limit, before, rounds } = bench;
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
  const toContender = (name: string, { pid, url }: RunningServer, dataDir: string): Contender => ({
    name,
    isLimit: name !== ours.name,
    pid,
    run: run(url, ours.send),
    tidy: async () => {
      if (!keepsFiles) await removeFiles(setup.scratch.path(`${dataDir}/blobs/stored`));
      settleDisk(setup.scratch.directory);
    },
  });
  contenders.push(toContender(ours.name, trivium, 'uploads'));
  if (before) contenders.push(toContender('Trivium before', before, 'before'));
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
