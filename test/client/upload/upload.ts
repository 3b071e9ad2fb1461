import { createHash, randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { UploadClientOptions } from '../../../src/client/option.ts';
import type { UploadOptions } from '../../../src/client/upload/chunk.ts';
import { createUploadClient } from '../../../src/client/upload/upload-client.ts';
import { UploadError } from '../../../src/client/upload/upload-error.ts';
import type { TestApp } from '../../support/app.ts';
import { type Call, createFaultyFetch, type Fault } from './fault.ts';

const CHUNK_BYTES = 1000;
export const BYTES = randomBytes(3500);
export const MD5 = createHash('md5').update(BYTES).digest('hex');
export const NAME = 'random.bin';

export function createClient(app: { url: string }, options: Partial<UploadClientOptions> = {}) {
  const { url } = app;
  return createUploadClient({ url, chunkBytes: CHUNK_BYTES, retryDelayMs: 1, ...options });
}

export function randomFile(bytes: Buffer<ArrayBuffer> = BYTES) {
  return new File([bytes], NAME);
}

/** Uploads the file while faults occur; returns the media item and the attempted operations. */
export async function uploadWithFaults(
  app: TestApp,
  chooseFault: (call: Call) => Fault | undefined | Promise<Fault | undefined>,
  { upload, ...client }: Partial<UploadClientOptions> & { upload?: UploadOptions } = {},
) {
  const { fetch, operations } = createFaultyFetch(chooseFault);
  const media = await createClient(app, { fetch, ...client }).upload(randomFile(), upload);
  return { media, operations };
}

/** Chooses `fault` for one request only: number `count` of the operation. */
export function once(operation: string, count: number, fault: Fault) {
  return (call: Call) => (call.operation === operation && call.count === count ? fault : undefined);
}

/** Expects that exactly one file is stored, and that it holds `BYTES`. */
export async function expectWhole(app: TestApp): Promise<void> {
  const { db, blobs } = app.services;
  const files = await db.selectFrom('file').selectAll().execute();
  expect(files).toMatchObject([{ md5: MD5, filename: NAME }]);
  const stored = await blobs.withLocalFile(files[0]!.blob_key, (path) => readFile(path));
  expect(stored.equals(BYTES)).toBe(true);
}

export async function blobCount(app: TestApp): Promise<number> {
  const options = { recursive: true, withFileTypes: true } as const;
  const entries = await readdir(join(app.dataDir, 'blobs'), options);
  return entries.filter((entry) => entry.isFile()).length;
}

export async function caught(work: Promise<unknown>): Promise<UploadError> {
  const error = await work.then(
    () => null,
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(UploadError);
  return error as UploadError;
}
