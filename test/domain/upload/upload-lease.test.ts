import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { Context } from '../../../src/domain/context.ts';
import { OffsetMismatchError, ServerBusyError } from '../../../src/domain/error.ts';
import { expireUploads } from '../../../src/domain/upload/expire.ts';
import { abortUpload, appendChunk, completeUpload } from '../../../src/domain/upload/upload.ts';
import { createKeyedLock } from '../../../src/lib/keyed-lock.ts';
import { takeUpload } from '../../../src/store/upload/lease.ts';
import {
  createLeaseKeeper,
  type LeaseKeeperOptions,
} from '../../../src/store/upload/lease-keeper.ts';
import { findUpload } from '../../../src/store/upload/upload.ts';
import { type TestServices, withServices } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';

const BYTES = Buffer.from('the first half and the second half');
const HALF = 14;

describeEachBackend('the lease of an upload', (backend) => {
  it('lets one of two processes append a chunk, and tells the other the right offset', () =>
    withServices(backend, async (services) => {
      const [one, other] = [process(services), process(services)];
      const uploadId = await begin(one);
      const answers = await Promise.allSettled([one, other].map((ctx) => second(ctx, uploadId)));
      const failed = answers.filter((answer) => answer.status === 'rejected');
      expect(failed.map(({ reason }) => reason)).toEqual([new OffsetMismatchError(BYTES.length)]);
      await complete(other, uploadId);
    }));

  it('costs no statement: one takes it and finds the row, one moves the offset and ends it', () =>
    withServices(backend, async (services) => {
      const ctx = process(services);
      const uploadId = await begin(ctx);
      services.statements.length = 0;
      await second(ctx, uploadId);
      expect(services.statements).toHaveLength(2);
      expect(await findUpload(services.db, uploadId)).toMatchObject({ lease_holder: null });
    }));

  it('is free again soon after its process has died', () =>
    withServices(backend, async (services) => {
      const uploadId = await begin(process(services));
      await takeUpload(services.db, { uploadId, holder: 'dead', leaseMs: 150 });
      expect(await second(process(services), uploadId)).toMatchObject({
        offsetBytes: BYTES.length,
      });
    }));

  it('that another process keeps is a ServerBusyError after a while, for every operation', () =>
    withServices(backend, async (services) => {
      const ctx = process(services, { waitMs: 30 });
      const uploadId = await begin(ctx);
      await takeUpload(services.db, { uploadId, holder: 'busy', leaseMs: 60_000 });
      await expect(second(ctx, uploadId)).rejects.toThrow(ServerBusyError);
      await expect(complete(ctx, uploadId)).rejects.toThrow(ServerBusyError);
      await expect(abortUpload(ctx, { uploadId })).rejects.toThrow(ServerBusyError);
      services.advance(48 * 3_600_000);
      expect(await expireUploads(services)).toBe(0);
    }));

  it('is given back when the work fails', () =>
    withServices(backend, async (services) => {
      const uploadId = await begin(process(services));
      await expect(chunk(process(services), uploadId, 3, BYTES.subarray(3))).rejects.toThrow(
        OffsetMismatchError,
      );
      await second(process(services, { waitMs: 0 }), uploadId);
    }));

  it('lasts as long as the work', () =>
    withServices(backend, async (services) => {
      const one = process(services, { leaseMs: 120 });
      const uploadId = await begin(one);
      const { promise: isSlow, resolve: send } = Promise.withResolvers<void>();
      const slow = chunk(one, uploadId, HALF, BYTES.subarray(HALF), isSlow);
      await delay(400);
      const other = process(services, { waitMs: 10 });
      await expect(second(other, uploadId)).rejects.toThrow(ServerBusyError);
      send();
      expect(await slow).toMatchObject({ offsetBytes: BYTES.length });
    }));

  it('that was lost stops the writing, and what the new holder wrote stays', () =>
    withServices(backend, async (services) => {
      // Its database cannot be reached, so that nothing extends the lease.
      const extend = () => Promise.reject(new Error('no database'));
      const lost = process(services, { leaseMs: 60, extend });
      const uploadId = await begin(lost);
      const { promise: isSlow, resolve: send } = Promise.withResolvers<void>();
      const slow = chunk(lost, uploadId, HALF, randomBytes(BYTES.length - HALF), isSlow);
      const outcome = expect(slow).rejects.toThrow(ServerBusyError);
      await second(process(services), uploadId);
      send();
      await outcome;
      await complete(process(services), uploadId);
    }));
});

/** Returns the context of a process that shares the database and the staged bytes, and nothing else. */
function process(services: TestServices, options: Partial<LeaseKeeperOptions> = {}): Context {
  const uploadLeases = createLeaseKeeper(services.db, options);
  return { ...services.as(), uploadLocks: createKeyedLock(), uploadLeases };
}

async function begin(ctx: Context): Promise<string> {
  const totalBytes = BYTES.length;
  const start = { offsetBytes: 0, totalBytes, filename: 'note.txt' };
  const { uploadId } = await appendChunk(ctx, {
    ...start,
    chunk: { bytes: [BYTES.subarray(0, HALF)] },
  });
  return uploadId;
}

function chunk(
  ctx: Context,
  uploadId: string,
  offsetBytes: number,
  bytes: Buffer,
  before: Promise<void> = Promise.resolve(),
) {
  async function* source() {
    await before;
    yield bytes;
  }
  return appendChunk(ctx, { uploadId, offsetBytes, chunk: { bytes: source() } });
}

function second(ctx: Context, uploadId: string) {
  return chunk(ctx, uploadId, HALF, BYTES.subarray(HALF));
}

function complete(ctx: Context, uploadId: string) {
  return completeUpload(ctx, { uploadId, md5: createHash('md5').update(BYTES).digest('hex') });
}
