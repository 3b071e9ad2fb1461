import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { type Backend, describeEachBackend } from '../../support/backend.ts';
import { md5Of } from '../../support/bytes.ts';
import { runInProcess } from '../../support/command.ts';
import { type GraphqlAnswer, graphql } from '../../support/graphql.ts';
import {
  type ServerProcess,
  spawnNode,
  withDataDir,
  withServerProcess,
} from '../../support/process.ts';

/** Number of backups to kill on each database; 20 with `TRIVIUM_TEST_KILLS=120`. */
const KILLS = Math.ceil(Number(process.env.TRIVIUM_TEST_KILLS || 6) / 6);

const KEY = 'tvm_the-admin-key-of-the-tests';
const ADMIN = { authorization: `Bearer ${KEY}` };

const UPLOAD = `mutation ($input: UploadFileInput!) { uploadFile(input: $input) {
  ... on UploadFileSuccess { media { id } } } }`;
const REPLACE = `mutation ($input: ReplaceFileInput!) { replaceFile(input: $input) { __typename } }`;
const DELETE = `mutation ($input: DeleteMediaInput!) { deleteMedia(input: $input) { __typename } }`;
const LIST = `query ($after: String) { medias(first: 200, after: $after) {
  nodes { url file { md5 sizeBytes } } pageInfo { hasNextPage endCursor } } }`;

interface Listed {
  url: string;
  file: { md5: string; sizeBytes: number };
}

/** Returns a text that no other file has. Some span several pieces of a stream. */
function newFile(number: number): File {
  return new File([`file ${number}\n`.repeat(number % 5 === 0 ? 20_000 : 20)], `${number}.txt`);
}

/** Uploads, replaces and deletes until it is stopped. */
function startLoad(server: ServerProcess) {
  const stopped = new AbortController();
  const ids: string[] = [];
  const work = async (worker: number) => {
    for (let number = worker; !stopped.signal.aborted; number += 2) {
      const files = { 'input.file': newFile(number) };
      const { data } = await graphql(server, UPLOAD, { input: {} }, { ...ADMIN, files });
      ids.push(data.uploadFile.media.id);
      await sleep(10);
      const id = ids[Math.floor(Math.random() * ids.length)]!;
      if (number % 3 === 0) await graphql(server, REPLACE, { input: { id } }, { ...ADMIN, files });
      if (number % 3 === 1) await graphql(server, DELETE, { input: { id } }, ADMIN);
    }
  };
  const running = Promise.all([work(0), work(1)]);
  return {
    ids,
    async stop() {
      stopped.abort();
      await running;
    },
  };
}

async function list(server: ServerProcess): Promise<Listed[]> {
  const listed: Listed[] = [];
  for (let after: string | null = null; ; ) {
    const answer: GraphqlAnswer = await graphql(server, LIST, { after }, ADMIN);
    const { nodes, pageInfo } = answer.data.medias;
    listed.push(...nodes);
    if (!pageInfo.hasNextPage) return listed;
    after = pageInfo.endCursor;
  }
}

/** Starts a backup and kills it at some moment after it has begun to write. */
async function killBackup(directory: string, variables: Record<string, string>): Promise<void> {
  const child = spawnNode(['src/main.js', 'backup', directory], variables, { stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const hasBegun = () =>
    child.exitCode !== null ||
    readdirSync(join(directory, 'snapshots')).some((name) => name.endsWith('.part'));
  await vi.waitUntil(hasBegun, { timeout: 60_000, interval: 2 });
  await sleep(Math.random() * 60);
  child.kill('SIGKILL');
  await ended;
}

function withPlace(
  backend: Backend,
  work: (place: { variables: Record<string, string>; directory: string }) => Promise<void>,
): Promise<void> {
  return backend.withUrl((TRIVIUM_DATABASE_URL) =>
    withDataDir(async (TRIVIUM_DATA_DIR) => {
      const variables = { TRIVIUM_DATA_DIR, TRIVIUM_DATABASE_URL, TRIVIUM_ADMIN_KEY: KEY };
      await work({ variables, directory: join(TRIVIUM_DATA_DIR, 'backup') });
    }),
  );
}

describeEachBackend('backups of a busy server', (backend) => {
  it(
    `of which ${KILLS} are killed, restore to a server that serves every file with its digest`,
    { timeout: 120_000 + KILLS * 20_000 },
    () =>
      withPlace(backend, async ({ variables, directory }) => {
        await withServerProcess(variables, async (server) => {
          const load = startLoad(server);
          await vi.waitUntil(() => load.ids.length > 20, { timeout: 60_000 });
          const first = await runInProcess(['backup', directory], variables);
          expect([first.code, first.errors]).toEqual([0, '']);
          for (let kill = 0; kill < KILLS; kill++) await killBackup(directory, variables);
          // Checks every digest.
          await restored(backend, directory, async () => undefined);
          const last = await runInProcess(['backup', directory, '--keep', '1'], variables);
          expect([last.code, last.errors]).toEqual([0, '']);
          await load.stop();
        });
        expect(readdirSync(join(directory, 'snapshots'))).toHaveLength(1);
        expect(modesBelow(directory)).toEqual(['600', '700']);
        await restored(backend, directory, async (variables) => {
          const { code, errors } = await runInProcess(['fsck', '--rehash'], variables);
          expect([code, errors]).toEqual([0, '']);
          await withServerProcess(variables, expectWhole);
        });
      }),
  );
});

/** Restores the newest snapshot into a new installation, and passes its variables on. */
function restored(
  backend: Backend,
  directory: string,
  check: (variables: Record<string, string>) => Promise<void>,
): Promise<void> {
  return backend.withUrl(
    (TRIVIUM_DATABASE_URL) =>
      withDataDir(async (TRIVIUM_DATA_DIR) => {
        const variables = { TRIVIUM_DATA_DIR, TRIVIUM_DATABASE_URL, TRIVIUM_ADMIN_KEY: KEY };
        const { code, errors } = await runInProcess(['restore', directory], variables);
        expect([code, errors]).toEqual([0, '']);
        await check(variables);
      }),
    'empty',
  );
}

/** Reads every file from a server. */
async function expectWhole(server: ServerProcess): Promise<void> {
  const listed = await list(server);
  expect(listed.length).toBeGreaterThan(10);
  for (const { url, file } of listed) {
    const response = await fetch(url);
    const bytes = new Uint8Array(await response.arrayBuffer());
    const actual = [response.status, bytes.length, md5Of(bytes)];
    expect(actual).toEqual([200, file.sizeBytes, file.md5]);
  }
}

/** Returns the modes of all files and folders below a directory, each once. */
function modesBelow(directory: string): string[] {
  const paths = readdirSync(directory, { recursive: true }).map((name) =>
    join(directory, String(name)),
  );
  const modes = paths.map((path) => (statSync(path).mode & 0o777).toString(8));
  return [...new Set(modes)].sort();
}
