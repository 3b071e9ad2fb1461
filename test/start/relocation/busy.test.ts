import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { describeEachBackend } from '../../support/backend.ts';
import { DIALECT_WRITES } from '../../support/dialect-write.ts';
import {
  ADMIN_KEY,
  asAdmin,
  dumpDatabase,
  fsck,
  moveArgs,
  otherThan,
  type Place,
  seedLibrary,
  withPlace,
} from '../../support/move.ts';
import { runTrivium, spawnNode, withServerProcess } from '../../support/process.ts';

/** Number of commands to kill on each database; 20 with `TRIVIUM_TEST_KILLS=120`. */
const KILLS = Math.ceil(Number(process.env.TRIVIUM_TEST_KILLS || 12) / 6);

const UPLOAD = `mutation ($input: UploadFileInput!) { uploadFile(input: $input) {
  ... on UploadFileSuccess { media { id url file { md5 } } } ... on Error { message } } }`;
const DELETE = `mutation ($input: DeleteMediaInput!) { deleteMedia(input: $input) {
  ... on DeleteMediaSuccess { deletedId } ... on Error { message } } }`;
const LIST = `query ($after: String) { medias(first: 200, after: $after) {
  nodes { id file { md5 } } pageInfo { hasNextPage endCursor } } }`;

/** What a server has acknowledged. */
interface Acknowledged {
  /** MD5 of the file of each media item, by its id. */
  md5s: Map<string, string>;
  deleted: Set<string>;
  /** Times of the first and the last refusal, of the performance clock. */
  refusedAt: number[];
}

/** Uploads and deletes until it is stopped. */
function startLoad(server: { url: string }) {
  const stopped = new AbortController();
  const acknowledged: Acknowledged = { md5s: new Map(), deleted: new Set(), refusedAt: [] };
  const { md5s, deleted, refusedAt } = acknowledged;
  const work = async (worker: number) => {
    for (let number = worker; !stopped.signal.aborted; number += 2) {
      const file = new File([`file ${number}\n`.repeat(50)], `${number}.txt`);
      const { data, errors } = await asAdmin(server, UPLOAD, {}, { file });
      const media = data?.uploadFile?.media;
      if (media !== undefined) md5s.set(media.id, media.file.md5);
      else expect(errors?.[0]?.extensions?.code).toBe('DATABASE_UNAVAILABLE');
      if (media === undefined) refusedAt.push(performance.now());
      if (media === undefined || number % 3 > 0) continue;
      const answer = await asAdmin(server, DELETE, { id: media.id });
      if (answer.data?.deleteMedia?.deletedId) deleted.add(media.id);
      else md5s.delete(media.id);
    }
  };
  const running = Promise.all([work(0), work(1)]);
  return {
    acknowledged,
    async stop() {
      stopped.abort();
      await running;
      return acknowledged;
    },
  };
}

async function listMd5s(server: { url: string }): Promise<Map<string, string>> {
  const md5s = new Map<string, string>();
  for (let after: string | null = null; ; ) {
    const response = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${ADMIN_KEY}` },
      body: JSON.stringify({ query: LIST, variables: { after } }),
    });
    const { data } = (await response.json()) as { data: { medias: Listed } };
    for (const { id, file } of data.medias.nodes) if (file) md5s.set(id, file.md5);
    if (!data.medias.pageInfo.hasNextPage) return md5s;
    after = data.medias.pageInfo.endCursor;
  }
}

interface Listed {
  nodes: { id: string; file: { md5: string } | null }[];
  pageInfo: { hasNextPage: boolean; endCursor: string };
}

/** Checks that a server has what another one has acknowledged. */
async function expectAll(place: Place, { md5s, deleted }: Acknowledged): Promise<void> {
  await withServerProcess(place, async (server) => {
    const listed = await listMd5s(server);
    for (const [id, md5] of md5s) {
      expect([id, listed.get(id)]).toEqual([id, deleted.has(id) ? undefined : md5]);
    }
  });
}

describeEachBackend('a move of a busy server', (backend) => {
  it(
    'loses nothing that was acknowledged, and is read-only for seconds',
    { timeout: 120_000 },
    () =>
      withPlace(backend, (from) =>
        withPlace(otherThan(backend), async (to) => {
          const acknowledged = await withServerProcess(from, async (server) => {
            const load = startLoad(server);
            await vi.waitUntil(() => load.acknowledged.md5s.size > 10, { timeout: 60_000 });
            const startedAt = performance.now();
            const { code, output, errors } = await runTrivium(moveArgs(from, to));
            const endedAt = performance.now();
            expect([code, errors]).toEqual([0, '']);
            const readOnlyMs = 1000 * Number(/read-only for ([\d.]+) s/.exec(output)?.[1]);
            expect(readOnlyMs).toBeLessThan(10_000);
            await vi.waitUntil(() => load.acknowledged.refusedAt.length > 0, { timeout: 60_000 });
            // The rest of the time, it has taken changes.
            expect(load.acknowledged.refusedAt[0]! - startedAt).toBeGreaterThan(0);
            expect(endedAt).toBeGreaterThan(startedAt);
            await expectReadOnly(server.url, load.acknowledged);
            return load.stop();
          });
          expect(acknowledged.md5s.size).toBeGreaterThan(10);
          expect(await fsck(to)).toBe('');
          await expectAll(to, acknowledged);
        }),
      ),
  );

  it(
    `of which ${KILLS} commands are killed goes on, and loses nothing either`,
    { timeout: 120_000 + KILLS * 20_000 },
    () =>
      withPlace(backend, (from) =>
        withPlace(otherThan(backend), async (to) => {
          await seedLibrary(from, 400);
          const acknowledged = await withServerProcess(from, async (server) => {
            const load = startLoad(server);
            for (let kill = 0; kill < KILLS; kill++) await killMove(from, to);
            const { code, errors } = await runTrivium(moveArgs(from, to));
            expect([code, errors]).toEqual([0, '']);
            return load.stop();
          });
          expect(await fsck(to)).toBe('');
          expect(await dumpDatabase(to)).toEqual(await dumpDatabase(from));
          await expectAll(to, acknowledged);
        }),
      ),
  );
});

/** Starts a move and kills it at some moment. */
async function killMove(from: Place, to: Place): Promise<void> {
  const child = spawnNode(['src/main.js', ...moveArgs(from, to)], {}, { stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  await Promise.race([sleep(500 + Math.random() * 3000), ended]);
  child.kill('SIGKILL');
  await ended;
}

/** Checks that a server refuses changes in each dialect, with the time of another try, and serves reads. */
async function expectReadOnly(url: string, { md5s, deleted }: Acknowledged): Promise<void> {
  for (const { dialect, line, headers, body } of DIALECT_WRITES) {
    const [method = '', path = ''] = line.split(' ');
    const authorization = `Bearer ${ADMIN_KEY}`;
    const sent = { method, body, headers: { ...headers, authorization } };
    const response = await fetch(url + path, sent);
    const refusal = [dialect, response.status, response.headers.get('retry-after')];
    expect(refusal).toEqual([dialect, 503, '60']);
  }
  const [id = ''] = [...md5s.keys()].filter((id) => !deleted.has(id));
  expect((await listMd5s({ url })).get(id)).toBe(md5s.get(id));
  expect((await fetch(`${url}/readyz`)).status).toBe(200);
}
