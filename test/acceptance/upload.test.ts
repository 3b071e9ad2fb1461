import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import SqliteDatabase from 'better-sqlite3';
import { expect, test } from 'vitest';
import { makePhoto } from '../support/photo.ts';
import { withDataDir, withServerProcess } from '../support/process.ts';
import {
  type Answer,
  CHUNK_BYTES,
  complete,
  md5Of,
  sendChunk,
  upload,
} from '../support/selfcommunity.ts';

const KILLS = Number(process.env.TRIVIUM_TEST_KILLS || 3);

/** Some uploads at a time, so that a kill meets them at different steps. */
const CLIENTS = 4;

/** Maximum time from the start of listening to a kill, in milliseconds; a file takes about a third of it. */
const KILL_WITHIN_MS = 400;

interface Server {
  url: string;
}

test('a photo of three megabytes, sent in chunks with its MD5, comes back as it was', () =>
  withDataDir((TRIVIUM_DATA_DIR) =>
    withServerProcess({ TRIVIUM_DATA_DIR, ...WITHOUT_JOBS }, async (server) => {
      const { bytes, width, height } = await makePhoto({ sizeBytesMin: 3_000_000 });
      const options = { filename: 'beach.jpg', contentType: 'image/jpeg' };
      const { status, body } = await upload(server, bytes, { ...options, type: 'image' });
      expect(status).toBe(201);
      expect(body).toMatchObject({
        type: 'image',
        title: 'beach.jpg',
        image_width: width,
        image_height: height,
        size: bytes.length,
      });
      const sent = await fetch(body.image);
      expect(sent.headers.get('content-type')).toBe('image/jpeg');
      expect(Buffer.from(await sent.arrayBuffer()).equals(bytes)).toBe(true);
    }),
  ));

test('of two clients that send the same chunk, one wins and the other learns the offset', () =>
  withDataDir((TRIVIUM_DATA_DIR) =>
    withServerProcess({ TRIVIUM_DATA_DIR, ...WITHOUT_JOBS }, async (server) => {
      const { bytes } = await makePhoto({ sizeBytesMin: 700_000 });
      const totalBytes = bytes.length;
      let uploadId: string | undefined;
      for (let startBytes = 0; startBytes < totalBytes; startBytes += CHUNK_BYTES) {
        const chunk = bytes.subarray(startBytes, startBytes + CHUNK_BYTES);
        const options = { uploadId, startBytes, totalBytes };
        const isFirst = uploadId === undefined;
        const racers = isFirst ? [1] : [1, 2];
        const answers = await Promise.all(racers.map(() => sendChunk(server, chunk, options)));
        const losers = answers.filter(({ status }) => status !== 201);
        expect(answers.length - losers.length).toBe(1);
        for (const { status, body } of losers) {
          const offset = startBytes + chunk.length;
          expect({ status, body }).toMatchObject({ status: 400, body: { offset } });
        }
        uploadId ??= answers[0]!.body.upload_id as string;
      }
      const done = await complete(server, { upload_id: uploadId!, md5: md5Of(bytes) });
      expect(done.status).toBe(201);
    }),
  ));

/** Thumbnails would be files that no client knows of. */
const WITHOUT_JOBS = { TRIVIUM_JOB_CONCURRENCY: '0' };

/** The state of an upload that its client knows. */
interface Client {
  bytes: Buffer;
  md5: string;
  /** Null until the first chunk has been acknowledged. */
  uploadId: string | null;
  acknowledgedBytes: number;
  /** Number of files that it knows to be media. */
  mediaCount: number;
}

test(
  `killed ${KILLS} times in the middle of uploads, the server loses nothing that it acknowledged and leaves nothing behind`,
  { timeout: 60_000 + KILLS * 25_000 },
  () =>
    withDataDir(async (TRIVIUM_DATA_DIR) => {
      const { bytes } = await makePhoto({ sizeBytesMin: 700_000 });
      const clients: Client[] = Array.from({ length: CLIENTS }, () => ({
        bytes,
        md5: md5Of(bytes),
        uploadId: null,
        acknowledgedBytes: 0,
        mediaCount: 0,
      }));
      for (let kill = 0; kill < KILLS; kill++) {
        await withServerProcess({ TRIVIUM_DATA_DIR, ...WITHOUT_JOBS }, async (server) => {
          const working = clients.map((client) => uploadUntilKilled(server, client));
          await sleep(Math.random() * KILL_WITHIN_MS);
          server.child.kill('SIGKILL');
          await Promise.all(working);
        });
      }
      await withServerProcess({ TRIVIUM_DATA_DIR, ...WITHOUT_JOBS }, async (server) => {
        await Promise.all(clients.map((client) => resume(server, client)));
        await Promise.all(clients.map((client) => finish(server, client)));
        // An upload that stays open, whose bytes are not leftovers.
        await sendChunk(server, bytes.subarray(0, 1000), { totalBytes: bytes.length });
      });
      await sweep(TRIVIUM_DATA_DIR);
      const mediaCount = clients.reduce((sum, client) => sum + client.mediaCount, 0);
      expect(mediaCount).toBeGreaterThanOrEqual(CLIENTS);
      expectWhole(TRIVIUM_DATA_DIR, { mediaCount, md5: md5Of(bytes) });
      expect(filesIn(join(TRIVIUM_DATA_DIR, 'blobs/staging'))).not.toEqual([]);

      endOpenUploads(TRIVIUM_DATA_DIR);
      await sweep(TRIVIUM_DATA_DIR);
      expectWhole(TRIVIUM_DATA_DIR, { mediaCount, md5: md5Of(bytes) });
      expect(filesIn(join(TRIVIUM_DATA_DIR, 'blobs/staging'))).toEqual([]);
    }),
);

/** Continues the upload in progress, then sends one file after the other. */
async function uploadUntilKilled(server: Server, client: Client): Promise<void> {
  try {
    await resume(server, client);
    for (;;) await finish(server, client);
  } catch (error) {
    // `fetch` throws this when the server is gone; a wrong response fails the test.
    if (!(error instanceof TypeError)) throw error;
  }
}

/** Finds the offset of a restarted server, by sending a chunk at an offset that is certainly wrong. */
async function resume(server: Server, client: Client): Promise<void> {
  const { bytes, uploadId, acknowledgedBytes } = client;
  if (uploadId === null) return;
  const options = { uploadId, totalBytes: bytes.length };
  const { status, body } = await sendChunk(server, bytes.subarray(0, 1), options);
  expect(status).toBe(400);
  if (body.offset === undefined) {
    // Only if the response to `complete` alone was missing.
    expect(acknowledgedBytes).toBe(bytes.length);
    expect(body.detail).toBe('Upload has already been marked as "complete"');
    return startAnew(client);
  }
  expect(body.detail).toBe('Offsets do not match');
  // At most the chunk that was under way has arrived without being acknowledged.
  const next = Math.min(acknowledgedBytes + CHUNK_BYTES, bytes.length);
  expect([acknowledgedBytes, next]).toContain(body.offset);
  client.acknowledgedBytes = body.offset;
}

/** Sends the missing bytes of the file, and completes it. */
async function finish(server: Server, client: Client): Promise<void> {
  const { bytes, md5 } = client;
  while (client.acknowledgedBytes < bytes.length) {
    const startBytes = client.acknowledgedBytes;
    const chunk = bytes.subarray(startBytes, startBytes + CHUNK_BYTES);
    const uploadId = client.uploadId ?? undefined;
    const options = { uploadId, startBytes, totalBytes: bytes.length };
    const answer = await sendChunk(server, chunk, options);
    expectStatus(answer, 201);
    client.uploadId = answer.body.upload_id;
    client.acknowledgedBytes += chunk.length;
  }
  const answer = await complete(server, { upload_id: client.uploadId!, md5 });
  expectStatus(answer, 201);
  startAnew(client);
}

function startAnew(client: Client): void {
  client.mediaCount++;
  client.uploadId = null;
  client.acknowledgedBytes = 0;
}

function expectStatus({ status, body }: Answer, expected: number): void {
  expect({ status, body }).toEqual({ status: expected, body: expect.anything() });
}

/** Runs a server until its data directory holds no leftovers. */
async function sweep(dataDir: string): Promise<void> {
  await withServerProcess({ TRIVIUM_DATA_DIR: dataDir, ...WITHOUT_JOBS }, async () => {
    await expect.poll(() => leftovers(dataDir), { timeout: 60_000 }).toEqual([]);
  });
}

/**
 * Expires the open uploads as if a day had passed. No client knows the id of an upload whose first chunk was not
 * acknowledged.
 */
function endOpenUploads(dataDir: string): void {
  const database = new SqliteDatabase(join(dataDir, 'trivium.db'));
  database.exec('update upload set expires_at = 0');
  database.close();
}

/** Returns the files of the data directory without a row, and the rows whose file is missing. */
function leftovers(dataDir: string): string[] {
  const database = new SqliteDatabase(join(dataDir, 'trivium.db'), { readonly: true });
  try {
    const keys = (query: string) => database.prepare(query).pluck().all() as string[];
    const open = keys(
      `select blob_key from upload where status = 'open' and expires_at > ${Date.now()}`,
    );
    const known = [
      ...open.map((key) => `blobs/staging/${key}`),
      ...keys('select blob_key from file').map((key) => storedPath(key)),
      ...['trivium.db', 'trivium.db-shm', 'trivium.db-wal', 'trivium.db.lock'],
      ...['admin.key', 'token.key', 'url.key'],
    ];
    const files = filesIn(dataDir);
    return [
      ...files.filter((path) => !known.includes(path)),
      ...known.filter((path) => path.startsWith('blobs/') && !files.includes(path)),
    ];
  } finally {
    database.close();
  }
}

function expectWhole(
  dataDir: string,
  { mediaCount, md5 }: { mediaCount: number; md5: string },
): void {
  const stored = filesIn(dataDir).filter((path) => path.startsWith('blobs/stored/'));
  expect(stored).toHaveLength(mediaCount);
  for (const path of stored) {
    const digest = createHash('md5').update(readFileSync(join(dataDir, path)));
    expect(digest.digest('hex'), path).toBe(md5);
  }
}

function storedPath(key: string): string {
  return `blobs/stored/${key.slice(0, 2)}/${key.slice(2, 4)}/${key}`;
}

/** Paths below a directory. */
function filesIn(directory: string): string[] {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1));
}
