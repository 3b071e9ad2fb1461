import { mkdirSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Contender, compare } from './compare.ts';
import { benchDownloads } from './download.ts';
import { printStandings } from './report.ts';
import type { RunningServer } from './scratch.ts';
import { type LimitVariant, sendToLimit } from './sender/limit.ts';
import type { Send } from './sender/sender.ts';
import { sendToTus } from './sender/tus.ts';
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
  tus: RunningServer;
  before: RunningServer | null;
  rounds: number;
}

const LIMITS: readonly (readonly [LimitVariant, string])[] = [
  ['bytes', 'limit: bytes only'],
  ['row', 'limit: MD5, row'],
  ['durable', 'limit: MD5, row, both synced'],
];

/** Uploads, against bare handlers whose names say what they do and `@tus/server`, and downloads. */
export async function benchUploads(
  setup: ServerSetup,
  { rounds, only, before: checkout }: UploadOptions,
): Promise<void> {
  const limit = await startPeer(
    setup,
    new URL('./limit-upload-server.ts', import.meta.url),
    'limit',
  );
  const tus = await startPeer(setup, new URL('./tus-server.ts', import.meta.url), 'tus');
  // What is measured is the request: jobs would compete with it for the one core.
  const settings = { TRIVIUM_JOB_CONCURRENCY: '0' };
  const trivium = await startTrivium(setup, 'uploads', settings);
  const before = checkout && (await startTrivium(setup, 'before', settings, checkout));
  const authorization = await bearerToken();
  for (const uploadCase of await uploadCases(authorization)) {
    if (!uploadCase.title.includes(only)) continue;
    await benchUpload({ setup, trivium, limit, tus, before, rounds }, uploadCase);
  }
  await benchDownloads({ trivium, limit, before, authorization }, { rounds, only });
  await Promise.all([trivium, limit, tus, before].map((server) => server?.stop()));
}

/** Starts a server that stores files in a directory of its own. */
function startPeer(setup: ServerSetup, script: URL, name: string): Promise<RunningServer> {
  const directory = setup.scratch.path(name);
  mkdirSync(directory);
  return startLimit(setup, script, directory);
}

async function benchUpload(bench: Bench, uploadCase: UploadCase): Promise<void> {
  const { title, unit, payloads, concurrency, chunkBytes, ours, keepsFiles } = uploadCase;
  const { setup, trivium, limit, tus, before, rounds } = bench;
  const toContender = (
    name: string,
    { pid, url }: RunningServer,
    send: Send,
    removeAll: () => Promise<void>,
  ): Contender => ({
    name,
    isLimit: name !== ours.name,
    pid,
    run: () => transfer(url, payloads, { concurrency, unit, send }),
    tidy: async () => {
      if (!keepsFiles) await removeAll();
      settleDisk(setup.scratch.directory);
    },
  });
  const removeFrom = (directory: string) => () => removeFiles(setup.scratch.path(directory));
  const contenders = LIMITS.map(([variant, name]) => {
    const send = sendToLimit(variant, chunkBytes);
    return toContender(name, limit, send, () => removeAllFromLimit(limit.url));
  });
  const sendTus = sendToTus(setup.scratch.path('tus'), chunkBytes);
  contenders.push(toContender('@tus/server: no checksum', tus, sendTus, removeFrom('tus')));
  contenders.push(toContender(ours.name, trivium, ours.send, removeFrom('uploads/blobs/stored')));
  if (before) {
    contenders.push(
      toContender('Trivium before', before, ours.send, removeFrom('before/blobs/stored')),
    );
  }
  printStandings(title, unit, await compare(contenders, rounds));
}

async function removeAllFromLimit(url: string): Promise<void> {
  await withConnections(url, 1, 0, async ([connection]) => {
    await connection!.request({ method: 'DELETE', path: '/' });
  });
}

/** Deletes the files below a directory. Directories stay: the server makes each once, and knows it. */
export async function removeFiles(directory: string): Promise<void> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  await Promise.all(files.map(({ parentPath, name }) => rm(join(parentPath, name))));
}
