import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { createApp } from '../../../src/start/app.ts';
import { parseConfig } from '../../../src/start/config.ts';
import { BACKENDS, type Backend } from '../../support/backend.ts';
import { md5Of } from '../../support/bytes.ts';
import { runInProcess } from '../../support/command.ts';
import {
  asAdmin,
  dumpDatabase,
  fsck,
  type Place,
  seedLibrary,
  withPlace,
} from '../../support/move.ts';
import { s3Variables } from '../../support/s3-app.ts';
import { withS3Server } from '../../support/s3-server.ts';

/** Items of the library that moves; 20,000 with `TRIVIUM_TEST_MOVE_ITEMS=20000`. */
const ITEMS = Number(process.env.TRIVIUM_TEST_MOVE_ITEMS || 200);

const CHUNK = `mutation ($input: UploadChunkInput!) { uploadChunk(input: $input) {
  ... on UploadChunkSuccess { session { uploadId offset } } ... on Error { message } } }`;
const COMPLETE = `mutation ($input: CompleteUploadInput!) { completeUpload(input: $input) {
  ... on CompleteUploadSuccess { media { file { md5 sizeBytes } } } ... on Error { message } } }`;

/** Runs `work` with a server in this process. */
async function withServer<T>(
  place: Place,
  work: (server: { url: string }) => Promise<T>,
): Promise<T> {
  const variables = {
    TRIVIUM_PORT: '0',
    TRIVIUM_LOG_LEVEL: 'silent',
    TRIVIUM_JOB_CONCURRENCY: '0',
  };
  const app = await createApp(parseConfig({ ...place, ...variables }));
  try {
    return await work({ url: await app.start() });
  } finally {
    await app.stop();
  }
}

const MIB = 2 ** 20;

/** An upload session of which each library that it moves to receives some bytes. */
interface Session {
  bytes: Buffer<ArrayBuffer>;
  offset: number;
  uploadId: string | null;
}

/** Two sessions: one that object storage has in parts, which are 8 MiB long, and one that is shorter than a part. */
function newSessions(): Session[] {
  return [Buffer.from(randomBytes(19 * MIB)), Buffer.from(randomBytes(1000))].map((bytes) => ({
    bytes,
    offset: 0,
    uploadId: null,
  }));
}

/** Sends the next bytes of each session: a quarter. */
function sendSome(place: Place, sessions: Session[]): Promise<void> {
  return withServer(place, async (server) => {
    for (const session of sessions) await sendQuarter(server, session);
  });
}

async function sendQuarter(server: { url: string }, session: Session): Promise<void> {
  const { bytes, offset, uploadId } = session;
  const totalBytes = bytes.length;
  const chunk = new File([bytes.subarray(offset, offset + totalBytes / 4)], 'quarters.bin');
  const id = uploadId === null ? {} : { uploadId };
  const { data, errors } = await asAdmin(server, CHUNK, { ...id, offset, totalBytes }, { chunk });
  expect(errors).toBeUndefined();
  expect(data.uploadChunk.session?.offset ?? data.uploadChunk).toBe(offset + chunk.size);
  session.offset = data.uploadChunk.session.offset;
  session.uploadId = data.uploadChunk.session.uploadId;
}

async function complete(place: Place, sessions: Session[]): Promise<void> {
  await withServer(place, async (server) => {
    for (const session of sessions) {
      while (session.offset < session.bytes.length) await sendQuarter(server, session);
      const { uploadId, bytes } = session;
      const { data } = await asAdmin(server, COMPLETE, { uploadId, md5: md5Of(bytes) });
      const file = { md5: md5Of(bytes), sizeBytes: bytes.length };
      expect(data.completeUpload).toEqual({ media: { file } });
    }
  });
  expect(await fsck(place)).toBe('');
}

/** Runs a move with the settings of the source and its credentials. */
async function move(from: Place, flags: readonly string[]): Promise<void> {
  const { code, errors } = await runInProcess(['move', ...flags], from);
  expect([code, errors]).toEqual([0, '']);
}

function rowsTo({ TRIVIUM_DATABASE_URL }: Place): string[] {
  return ['--to', TRIVIUM_DATABASE_URL];
}

function filesTo({ TRIVIUM_STORAGE_URL }: Place): string[] {
  return ['--to-storage', TRIVIUM_STORAGE_URL];
}

type Places = Record<'sqlite' | 'postgres' | 'other', Place>;

/** Runs `work` with places of both database systems that can use one bucket, by prefixes. */
function withPlaces(
  work: (places: Places, inBucket: (place: Place, prefix: string) => Place) => Promise<void>,
): Promise<void> {
  const backend = (name: string) => BACKENDS.find((one) => one.name === name) as Backend;
  return withS3Server((s3) =>
    withPlace(backend('sqlite'), (sqlite) =>
      withPlace(backend('postgres'), (postgres) =>
        withPlace(backend('postgres'), (other) => {
          const variables = s3Variables(s3);
          const keys = { ...variables, TRIVIUM_STORAGE_URL: '' };
          const withKeys = (place: Place) => ({ ...keys, ...place });
          return work(
            { sqlite: withKeys(sqlite), postgres: withKeys(postgres), other: withKeys(other) },
            (place, prefix) => ({ ...place, ...s3Variables(s3, prefix) }),
          );
        }),
      ),
    ),
  );
}

const hasPostgres = BACKENDS.some(({ name }) => name === 'postgres');

it.skipIf(!hasPostgres)(
  `${ITEMS} items and their open uploads move to PostgreSQL and a bucket, and back`,
  { timeout: (60 + ITEMS / 10) * 1000 },
  () =>
    withPlaces(async ({ sqlite, postgres, other }, inBucket) => {
      const [bucket, next] = [inBucket(postgres, 'one'), inBucket(other, 'two')];
      const sessions = newSessions();
      await seedLibrary(sqlite, ITEMS);
      await sendSome(sqlite, sessions);
      await move(sqlite, [...rowsTo(bucket), ...filesTo(bucket)]);
      expect(await dumpDatabase(bucket)).toEqual(await dumpDatabase(sqlite));
      await sendSome(bucket, sessions);
      await move(bucket, [...rowsTo(next), ...filesTo(next)]);
      await sendSome(next, sessions);
      expect(await fsck(next)).toBe('');
      await withPlace(BACKENDS[0]!, async (last) => {
        await move(next, [...rowsTo(last), ...filesTo(last)]);
        expect(await dumpDatabase(last)).toEqual(await dumpDatabase(next));
        await complete(last, sessions);
      });
    }),
);

it.skipIf(!hasPostgres)(
  'open uploads go on when only rows move, in one bucket',
  { timeout: 60_000 },
  () =>
    withPlaces(async ({ sqlite, postgres, other }, inBucket) => {
      const sessions = newSessions();
      const places = [sqlite, postgres, other].map((place) => inBucket(place, 'one'));
      const [first, second, third] = places as [Place, Place, Place];
      await sendSome(first, sessions);
      await move(first, rowsTo(second));
      await sendSome(second, sessions);
      await move(second, rowsTo(third));
      await sendSome(third, sessions);
      await withPlace(BACKENDS[0]!, async (last) => {
        // Staged files are in the data directory of the settings of the command.
        const back = { ...third, TRIVIUM_DATABASE_URL: last.TRIVIUM_DATABASE_URL };
        await move(third, rowsTo(back));
        await complete(back, sessions);
      });
    }),
);

it.skipIf(!hasPostgres)(
  'open uploads go on when only files move, also between two buckets',
  { timeout: 60_000 },
  () =>
    withPlaces(async ({ postgres }, inBucket) => {
      const sessions = newSessions();
      const disk = postgres.TRIVIUM_STORAGE_URL;
      const places = [postgres, inBucket(postgres, 'one'), inBucket(postgres, 'two')];
      const back = { ...postgres, TRIVIUM_STORAGE_URL: `${disk}-again` };
      for (const [index, place] of places.entries()) {
        await sendSome(place, sessions);
        await move(place, filesTo(places[index + 1] ?? back));
        await move(place, ['--release']);
      }
      await complete(back, sessions);
    }),
);
