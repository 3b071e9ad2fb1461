import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { createFileBlobStore } from '../../src/blob/file-blob-store.ts';
import { createFileStaging } from '../../src/blob/file-staging.ts';
import { withMemory } from '../../src/blob/memory.ts';
import { sweep } from '../../src/domain/file/sweep.ts';
import { type Db, openDb } from '../../src/store/db.ts';
import { createTestServices } from '../support/app.ts';
import { describeEachBackend } from '../support/backend.ts';
import { md5Of } from '../support/bytes.ts';
import { graphql } from '../support/graphql.ts';
import { withDataDir, withServerProcess } from '../support/process.ts';
import { file as toFile } from '../support/request.ts';

/** Number of kills of each backend. */
const KILLS = Math.ceil(Number(process.env.TRIVIUM_TEST_KILLS || 6) / 10);

/** Media whose files are replaced, and as many whose versions are restored, at the same time. */
const CLIENTS = 3;
const VERSIONS_MAX = 3;

/** Maximum time from the start of listening to a kill, in milliseconds. */
const KILL_WITHIN_MS = 400;

const ADMIN_KEY = 'tvm_the-admin-key-of-the-tests';
const admin = { authorization: `Bearer ${ADMIN_KEY}` };
const MEDIA = 'media { id file { filename } versions { nodes { id filename } } }';

interface Server {
  url: string;
}

/** What a client knows of its media item: names of files, which are their contents too. */
interface Client {
  id: string;
  /** The original, then the versions, the newest first, after the last change that was acknowledged. */
  names: string[];
  /** What they are if the change under way has been made. */
  next: string[] | null;
  count: number;
}

/** Makes one change to a media item. Throws TypeError if the server is gone. */
type Change = (server: Server, client: Client) => Promise<void>;

describeEachBackend('a server that is killed while files are replaced and restored', (backend) => {
  test(
    `${KILLS} times loses no change that it acknowledged, and no bytes`,
    { timeout: 120_000 + KILLS * 25_000 },
    () =>
      backend.withUrl((TRIVIUM_DATABASE_URL) =>
        withDataDir(async (TRIVIUM_DATA_DIR) => {
          const variables = {
            ...{ TRIVIUM_DATA_DIR, TRIVIUM_DATABASE_URL, TRIVIUM_ADMIN_KEY: ADMIN_KEY },
            ...{ TRIVIUM_JOB_CONCURRENCY: '0', TRIVIUM_VERSIONS_MAX: String(VERSIONS_MAX) },
          };
          const replacing: Client[] = [];
          const restoring: Client[] = [];
          for (let kill = 0; kill < KILLS; kill++) {
            await withServerProcess(variables, async (server) => {
              for (const client of [...replacing, ...restoring]) await settle(server, client);
              for (let made = replacing.length; made < CLIENTS; made++) {
                replacing.push(await makeClient(server));
                restoring.push(await makeClient(server));
              }
              const working = [
                ...replacing.map((client) => untilKilled(server, client, replace)),
                ...restoring.map((client) => untilKilled(server, client, restore)),
              ];
              await sleep(Math.random() * KILL_WITHIN_MS);
              server.child.kill('SIGKILL');
              await Promise.all(working);
            });
            await untilRolledBack(TRIVIUM_DATABASE_URL);
          }
          const db = openDb({ url: TRIVIUM_DATABASE_URL });
          try {
            for (const client of [...replacing, ...restoring]) await expectState(db, client);
            await expectBytes(db, TRIVIUM_DATA_DIR, 2 * CLIENTS * (VERSIONS_MAX + 1));
          } finally {
            await db.destroy();
          }
        }),
      ),
  );
});

/** Creates a media item with all the versions that it can have. */
async function makeClient(server: Server): Promise<Client> {
  const { id } = await send(server, 'UploadFile', {}, '0.txt');
  const client: Client = { id, names: ['0.txt'], next: null, count: 0 };
  while (client.names.length <= VERSIONS_MAX) await replace(server, client);
  return client;
}

const replace: Change = async (server, client) => {
  const name = `${++client.count}.txt`;
  client.next = [name, ...client.names].slice(0, VERSIONS_MAX + 1);
  acknowledge(client, await send(server, 'ReplaceFile', { id: client.id }, name));
};

/** Restores the oldest version. */
const restore: Change = async (server, client) => {
  const { versions } = await read(server, client);
  const { id: versionId, filename } = versions.nodes.at(-1)!;
  client.next = [filename, ...client.names.filter((name) => name !== filename)];
  acknowledge(client, await send(server, 'RestoreVersion', { mediaId: client.id, versionId }));
};

function acknowledge(client: Client, media: Media): void {
  expect(namesIn(media)).toEqual(client.next);
  client.names = namesIn(media);
  client.next = null;
}

/** Learns whether the change under way at the kill has been made. */
async function settle(server: Server, client: Client): Promise<void> {
  const names = namesIn(await read(server, client));
  expect([client.names, client.next]).toContainEqual(names);
  client.names = names;
  client.next = null;
}

async function untilKilled(server: Server, client: Client, change: Change): Promise<void> {
  try {
    for (;;) await change(server, client);
  } catch (error) {
    // `fetch` throws this when the server is gone; a wrong response fails the test.
    if (!(error instanceof TypeError)) throw error;
  }
}

/** Waits for PostgreSQL to end the transactions of the killed server: a commit that it has received still happens. */
async function untilRolledBack(url: string): Promise<void> {
  if (url.startsWith('sqlite:')) return;
  const db = openDb({ url });
  const others = sql<{ pid: number }>`select pid from pg_stat_activity
    where datname = current_database() and xact_start is not null and pid <> pg_backend_pid()`;
  try {
    const open = async () => (await others.execute(db)).rows;
    await expect.poll(open, { timeout: 60_000 }).toEqual([]);
  } finally {
    await db.destroy();
  }
}

interface Media {
  id: string;
  file: { filename: string };
  versions: { nodes: { id: string; filename: string }[] };
}

function namesIn({ file, versions }: Media): string[] {
  return [file, ...versions.nodes].map(({ filename }) => filename);
}

async function read(server: Server, { id }: Client): Promise<Media> {
  const query = `{ node(id: "${id}") { ... on Media { ${MEDIA.slice('media { '.length)} } }`;
  return (await graphql(server, query, {}, admin)).data.node;
}

/** Runs a mutation, with a file if a name is given. Throws TypeError if the server is gone. */
async function send(server: Server, type: string, input: object, name?: string): Promise<Media> {
  const mutation = type.charAt(0).toLowerCase() + type.slice(1);
  const query = `mutation ($input: ${type}Input!) { result: ${mutation}(input: $input) {
    ... on ${type}Success { ${MEDIA} } ... on Error { code message } } }`;
  const files = name === undefined ? undefined : { 'input.file': toFile(name, name) };
  const answer = await graphql(server, query, { input }, { ...admin, ...(files && { files }) });
  expect(answer).toMatchObject({ data: { result: { media: {} } } });
  return answer.data.result.media;
}

/** Checks the rows of a media item, and that each has the bytes of its name. */
async function expectState(db: Db, client: Client): Promise<void> {
  const mediaId = Number(Buffer.from(client.id, 'base64url').toString().split(':')[1]);
  const columns = ['filename', 'md5'] as const;
  const file = db.selectFrom('file').where('media_id', '=', mediaId).select(columns);
  const versions = db.selectFrom('file_version').where('media_id', '=', mediaId).select(columns);
  const rows = [...(await file.execute()), ...(await versions.orderBy('id', 'desc').execute())];
  expect([client.names, client.next]).toContainEqual(rows.map(({ filename }) => filename));
  for (const { filename, md5 } of rows) expect(md5).toBe(md5Of(Buffer.from(filename)));
}

/** Checks that after a sweep each row has its bytes, and all bytes have a row. */
async function expectBytes(db: Db, dataDir: string, count: number): Promise<void> {
  const directory = join(dataDir, 'blobs');
  const blobs = withMemory(await createFileBlobStore({ directory: join(directory, 'stored') }));
  const staging = await createFileStaging({ directory: join(directory, 'staging'), blobs });
  try {
    const parts = { db, blobs, staging, blobDir: directory, statements: [] };
    const services = createTestServices(parts);
    const { lost } = await sweep(services, { modifiedBefore: Number.POSITIVE_INFINITY });
    expect(lost).toBe(0);
    expect(await Array.fromAsync(staging.list())).toEqual([]);
    const files = db.selectFrom('file').select(['blob_key', 'md5']);
    const all = files.unionAll(db.selectFrom('file_version').select(['blob_key', 'md5']));
    const rows = await all.execute();
    expect(rows).toHaveLength(count);
    for (const { blob_key, md5 } of rows) {
      const bytes = Buffer.concat(await Array.fromAsync(await blobs.read(blob_key)));
      expect(md5Of(bytes)).toBe(md5);
    }
    const stored = (await Array.fromAsync(blobs.list())).map(({ key }) => key).sort();
    expect(stored).toEqual(rows.map(({ blob_key }) => blob_key).sort());
  } finally {
    staging.close();
  }
}
