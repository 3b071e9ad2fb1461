import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { type Db, openDb } from '../src/store/db.ts';
import { printTable } from './report.ts';
import { seed } from './seed.ts';
import { bearerToken, type ServerSetup, startTrivium } from './server.ts';

const MEDIA = 100_000;
const IN_FOLDER = 50_000;
const FOLDER_UUID = '00000000-0000-4000-8000-000000000000';
const TARGET_UUID = '00000000-0000-4000-8000-000000000001';
/** The tag that all media have. */
const TAG_ID = 1;

/** Time without the change before each one. */
const QUIET_MS = 3000;

/**
 * Moves and deletes a folder of 50,000 media, and renames and deletes a tag on 50,000 and 100,000, while other connections ask
 * for the server's health and for one media item. Prints how long those waited. The rest of each change counts: until
 * its rows are gone.
 */
export async function benchBites(setup: ServerSetup): Promise<void> {
  const { scratch } = setup;
  await seed(scratch.path('bites'), { mediaCount: MEDIA, tagsPerMedia: 1 });
  const db = openDb({
    url: `sqlite:${scratch.path('bites')}/trivium.db`,
    statementTimeoutMs: 600_000,
  });
  try {
    const { mediaId, folderId, targetId } = await arrange(db);
    const server = await startTrivium(setup, 'bites');
    const headers = { authorization: await bearerToken('admin') };
    const ask = (path: string, init: RequestInit = {}) =>
      fetch(server.url + path, {
        ...init,
        headers: { ...headers, 'content-type': 'application/json' },
      });
    const paths = ['/healthz', `/api/v2/media/${mediaId}/`];
    const tag = `/api/v2/tag/${TAG_ID}/`;
    const rename = { method: 'PATCH', body: JSON.stringify({ name: 'renamed' }) };
    const move = { method: 'POST', body: JSON.stringify(moveInto(folderId, targetId)) };
    const changes = [
      { name: 'nothing', run: async () => void (await sleep(QUIET_MS)) },
      { name: `rename a tag on ${MEDIA}`, run: () => ask(tag, rename) },
      { name: `delete a tag on ${MEDIA}`, run: () => ask(tag, { method: 'DELETE' }) },
      { name: `move a folder of ${IN_FOLDER}`, run: () => ask('/graphql', move) },
      {
        name: `delete a folder of ${IN_FOLDER}`,
        run: () => ask(`/media/${FOLDER_UUID}`, { method: 'DELETE' }),
      },
    ];
    const rows: string[][] = [];
    for (const { name, run } of changes) {
      const load = startLoad(paths.map((path) => () => ask(path)));
      const startedAt = performance.now();
      const answer = await run();
      if (answer !== undefined) await assertDone(name, answer);
      const answeredMs = performance.now() - startedAt;
      while ((await countOpen(db)) > 0) await sleep(200);
      const allMs = performance.now() - startedAt;
      const waits = (await load.stop()).sort((a, b) => a - b);
      const at = (part: number) => waits[Math.floor(part * (waits.length - 1))] ?? 0;
      rows.push([
        name,
        ...[answeredMs, allMs, at(0.5), at(0.99), at(1)].map((ms) => ms.toFixed(0)),
      ]);
    }
    printTable('Waits of other requests, ms', ['', 'answer', 'all', 'p50', 'p99', 'max'], rows);
  } finally {
    await db.destroy();
  }
}

/** GraphQL reports failures with status 200. */
async function assertDone(name: string, answer: Response): Promise<void> {
  const text = await answer.text();
  if (answer.ok && !/"errors"|Error"/.test(text)) return;
  throw new Error(`${name}: ${answer.status} ${text.slice(0, 500)}`);
}

/** Puts half of the media into one folder, and the tag on all. Returns a media item of the other half, and a folder to move to. */
async function arrange(db: Db) {
  const folder = await insertFolder(db, FOLDER_UUID);
  const target = await insertFolder(db, TARGET_UUID);
  const half = sql`select id from media where type != 'folder' order by id limit ${IN_FOLDER}`;
  await sql`update media set parent_id = ${folder.id}, level = 2, path = ${`/1/${folder.id}/`}
    where id in (${half})`.execute(db);
  await sql`insert or ignore into media_tag (media_id, tag_id)
    select id, ${TAG_ID} from media where type != 'folder'`.execute(db);
  const last = db.selectFrom('media').where('type', '!=', 'folder').orderBy('id', 'desc');
  const { id: mediaId } = await last.select('id').limit(1).executeTakeFirstOrThrow();
  return { mediaId, folderId: folder.id, targetId: target.id };
}

function insertFolder(db: Db, uuid: string): Promise<{ id: number }> {
  return db
    .insertInto('media')
    .values({
      uuid,
      type: 'folder',
      parent_id: 1,
      level: 1,
      path: '/1/',
      sort_order: 0,
      name: 'Large',
      owner: '7',
      is_public: 0,
      created_at: 0,
      updated_at: 0,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
}

function moveInto(folderId: number, parentId: number) {
  const toGlobalId = (id: number) => btoa(`Folder:${id}`);
  return {
    query: `mutation ($ids: [ID!]!, $parentId: ID) {
      moveNodes(input: { ids: $ids, parentId: $parentId }) { __typename }
    }`,
    variables: { ids: [toGlobalId(folderId)], parentId: toGlobalId(parentId) },
  };
}

/** Sends each of the requests again and again, one at a time. `stop` returns how long each waited, in milliseconds. */
function startLoad(requests: readonly (() => Promise<Response>)[]) {
  let isStopped = false;
  const waits: number[] = [];
  const done = requests.map(async (send) => {
    while (!isStopped) {
      const startedAt = performance.now();
      await (await send()).arrayBuffer();
      waits.push(performance.now() - startedAt);
      await sleep(10);
    }
  });
  return {
    async stop() {
      isStopped = true;
      await Promise.all(done);
      return waits;
    },
  };
}

/** Jobs that have rows to change. */
async function countOpen(db: Db): Promise<number> {
  const open = db.selectFrom('job').where('finished_at', 'is', null);
  const large = open.where('job_class', 'in', [
    'delete-subtree',
    'delete-tag',
    'index-tag',
    'move-subtree',
  ]);
  return (await large.select('id').execute()).length;
}
