import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type Cluster, withCluster } from '../support/cluster.ts';
import { graphql } from '../support/graphql.ts';
import { POSTGRES_PROGRAMS } from '../support/own-postgres.ts';
import { CHUNK_BYTES, complete, sendChunk } from '../support/selfcommunity.ts';

/** Uploads at once in each protocol; the full test has 40. */
const UPLOADS = Number(process.env.TRIVIUM_TEST_CLUSTER_UPLOADS || 2);

/** One part of a multipart upload, and a tail. */
const FILE_BYTES = 8 * 2 ** 20 + 300_000;

const RETRY_MS = 100;

const KILL_MS = 2000;

/** Sends a chunk; without an id, the first. Returns the id, or null if the answer was lost or refused. */
type SendChunk = (
  cluster: Cluster,
  chunk: { bytes: Buffer; offset: number; uploadId: string | undefined },
) => Promise<string | null>;

const PROTOCOLS: Record<string, { chunkBytes: number; send: SendChunk }> = {
  SelfCommunity: {
    chunkBytes: CHUNK_BYTES,
    async send(cluster, { bytes, offset, uploadId }) {
      const options = { uploadId, startBytes: offset, totalBytes: FILE_BYTES };
      const server = { url: cluster.anyUrl() };
      const answer = await sendChunk(server, bytes, { ...options, token: cluster.adminKey });
      return answer.status === 201 ? answer.body.upload_id : null;
    },
  },
  GraphQL: {
    chunkBytes: 2 ** 20,
    async send(cluster, { bytes, offset, uploadId }) {
      const { data } = await call(
        cluster,
        `mutation ($input: UploadChunkInput!) { uploadChunk(input: $input) {
          ... on UploadChunkSuccess { session { uploadId } } } }`,
        { input: { chunk: null, offset, totalBytes: FILE_BYTES, ...(uploadId && { uploadId }) } },
        { 'input.chunk': new File([new Uint8Array(bytes)], 'file.bin') },
      );
      return data?.uploadChunk?.session?.uploadId ?? null;
    },
  },
};

describe.skipIf(POSTGRES_PROGRAMS === undefined)('three processes on PostgreSQL and S3', () => {
  it(
    `complete ${UPLOADS} uploads in each protocol while processes die and connections break`,
    { timeout: 60_000 + UPLOADS * 30_000 },
    () =>
      withCluster(3, async (cluster) => {
        const stopped = new AbortController();
        const trouble = makeTrouble(cluster, stopped.signal);
        const names = Object.keys(PROTOCOLS);
        const uploads = names.flatMap((name) =>
          Array.from({ length: UPLOADS }, () => uploadOne(cluster, name)),
        );
        const digests = await Promise.all(uploads);
        stopped.abort();
        const { kills, databaseCuts, bucketCuts } = await trouble;
        if (UPLOADS >= 40) expect([databaseCuts, bucketCuts]).toEqual([2, 2]);
        expect(Math.min(kills, databaseCuts, bucketCuts)).toBeGreaterThan(0);
        for (const md5 of digests) expect(await storedDigest(cluster, md5)).toBe(md5);
        expect(await cluster.sweepAll()).toBe(0);
        const { uploads: open, objects } = await cluster.s3State();
        expect(open).toEqual([]);
        const blobs = objects.filter(({ sizeBytes }) => sizeBytes === FILE_BYTES);
        expect(blobs).toHaveLength(digests.length);
      }),
  );
});

/** What has happened to a cluster. */
interface Trouble {
  kills: number;
  databaseCuts: number;
  bucketCuts: number;
}

/**
 * Kills a process every two seconds, whether or not the ones before have started again, and cuts the database and the bucket
 * in turn, until they were cut twice and `signal` is aborted. Returns once all processes run again.
 */
async function makeTrouble(cluster: Cluster, signal: AbortSignal): Promise<Trouble> {
  const trouble: Trouble = { kills: 0, databaseCuts: 0, bucketCuts: 0 };
  const restarts: Promise<void>[] = [];
  const clock = setInterval(() => {
    if (trouble.databaseCuts < 2 && trouble.databaseCuts <= trouble.bucketCuts) {
      trouble.databaseCuts += cluster.database.cutAll() > 0 ? 1 : 0;
    } else if (trouble.bucketCuts < 2) trouble.bucketCuts += cluster.bucket.cutAll() > 0 ? 1 : 0;
    const killing = cluster.killOne().then((isKilled) => {
      if (isKilled) trouble.kills++;
    });
    restarts.push(killing);
  }, KILL_MS);
  if (!signal.aborted) await once(signal, 'abort');
  clearInterval(clock);
  await Promise.all(restarts);
  return trouble;
}

/** Uploads random bytes chunk by chunk to random processes, and completes the upload. Returns their MD5. */
async function uploadOne(cluster: Cluster, protocol: string): Promise<string> {
  const { chunkBytes, send } = PROTOCOLS[protocol]!;
  const bytes = randomBytes(FILE_BYTES);
  const md5 = createHash('md5').update(bytes).digest('hex');
  let uploadId: string | undefined;
  for (let offset = 0; offset < bytes.length; ) {
    const chunk = { bytes: bytes.subarray(offset, offset + chunkBytes), offset, uploadId };
    const id = await send(cluster, chunk).catch(() => null);
    if (id !== null) {
      uploadId = id;
      offset += chunk.bytes.length;
      continue;
    }
    await sleep(RETRY_MS);
    if (uploadId === undefined) continue;
    const known = await offsetOf(cluster, uploadId);
    // What was acknowledged is never lost.
    expect(known).toBeGreaterThanOrEqual(offset);
    offset = known;
  }
  await completeOne(cluster, { uploadId: uploadId ?? '', md5 });
  return md5;
}

/** Asks by GraphQL, also for an upload that another dialect began. */
async function offsetOf(cluster: Cluster, uploadId: string): Promise<number> {
  for (;;) {
    const query = 'query ($id: String!) { uploadSession(uploadId: $id) { offset } }';
    const answer = await call(cluster, query, { id: uploadId }).catch(() => null);
    const offset = answer?.data?.uploadSession?.offset;
    if (offset !== undefined) return Number(offset);
    await sleep(RETRY_MS);
  }
}

/** Completes an upload by either dialect. */
async function completeOne(cluster: Cluster, input: { uploadId: string; md5: string }) {
  for (;;) {
    const isDone = await (Math.random() < 0.5
      ? completeByGraphql(cluster, input)
      : completeBySelfCommunity(cluster, input)
    ).catch(() => false);
    if (isDone) return;
    await sleep(RETRY_MS);
  }
}

async function completeByGraphql(cluster: Cluster, input: { uploadId: string; md5: string }) {
  const query = `mutation ($input: CompleteUploadInput!) { completeUpload(input: $input) {
    __typename ... on Error { code message } } }`;
  const { data } = await call(cluster, query, { input });
  const { __typename, code, message } = data.completeUpload;
  if (code === 'DIGEST_MISMATCH' || code === 'OFFSET_MISMATCH') throw new Error(message);
  return __typename === 'CompleteUploadSuccess' || code === 'UPLOAD_COMPLETED';
}

async function completeBySelfCommunity(
  cluster: Cluster,
  { uploadId, md5 }: { uploadId: string; md5: string },
) {
  const server = { url: cluster.anyUrl() };
  const answer = await complete(server, { upload_id: uploadId, md5 }, { token: cluster.adminKey });
  return answer.status === 201 || JSON.stringify(answer.body).includes('already been marked');
}

/** Downloads the file with this MD5, and returns the MD5 of its bytes; null if there is no such file. */
async function storedDigest(cluster: Cluster, md5: string): Promise<string | null> {
  for (;;) {
    const query = `query ($md5: String!) { medias(first: 1, filter: { md5: $md5 }) {
      nodes { file { url } } } }`;
    const answer = await call(cluster, query, { md5 }).catch(() => null);
    if (answer?.errors) throw new Error(JSON.stringify(answer.errors));
    if (answer?.data?.medias) {
      const url = answer.data.medias.nodes[0]?.file?.url;
      if (url === undefined) return null;
      const { pathname } = new URL(url, 'http://x');
      const authorization = `Bearer ${cluster.adminKey}`;
      const response = await fetch(cluster.anyUrl() + pathname, { headers: { authorization } });
      const bytes = Buffer.from(await response.arrayBuffer());
      if (response.ok) return createHash('md5').update(bytes).digest('hex');
    }
    await sleep(RETRY_MS);
  }
}

function call(
  cluster: Cluster,
  query: string,
  variables: Record<string, unknown>,
  files?: Record<string, File>,
) {
  const authorization = `Bearer ${cluster.adminKey}`;
  const server = { url: cluster.anyUrl() };
  return graphql(server, query, variables, { authorization, ...(files && { files }) });
}
