import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { StagingConflictError } from '../../../src/blob/staging.ts';
import type { Db } from '../../../src/store/db.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { withS3Client } from '../../support/s3-client.ts';
import type { S3Server } from '../../support/s3-server.ts';
import { cutAtRandom, entriesOf, failing, newKey, pieces } from '../source.ts';
import { describeStaging, type Storage } from '../staging-contract.ts';
import { dyingAt, PART_BYTES, withS3Staging } from './s3-staging-storage.ts';

/** Three full parts and a bit. */
const BYTES = randomBytes(3 * PART_BYTES + 1000);

describeEachBackend('staging', (backend) => {
  const withStorage = (work: (storage: Storage, server: S3Server, db: Db) => Promise<void>) =>
    withS3Client(
      (client, server) =>
        backend.withDb((db) => withS3Staging({ client, db }, (all) => work(all, server, db))),
      { partBytesMin: PART_BYTES },
    );

  describeStaging('in S3 and a database', withStorage);

  it('keeps less than a part in rows, and nothing once it is a blob', () =>
    withStorage(async ({ staging, blobs }, server, db) => {
      const key = newKey();
      await appendAll(staging, key, 5000);
      expect(await storedBytes(db)).toBeLessThan(PART_BYTES + 5000);
      await staging.promote(key, BYTES.length);
      expect(BYTES.equals(await buffer(await blobs.read(key)))).toBe(true);
      expect(await storedBytes(db)).toBe(0);
      expect(server.state().uploads).toEqual([]);
    }));

  it('goes on in the middle of a part that a failed append had stored', () =>
    withStorage(async ({ staging, blobs }) => {
      const key = newKey();
      await staging.append(key, 0, pieces(BYTES.subarray(0, 1000)));
      const lost = failing(new Error('gone'));
      await expect(staging.append(key, 1000, lost)).rejects.toThrow('gone');
      // Stored, but its caller did not acknowledge it.
      await staging.append(key, 1000, pieces(randomBytes(2 * PART_BYTES)));
      await staging.append(key, 1000, pieces(BYTES.subarray(1000)));
      await staging.promote(key, BYTES.length);
      expect(BYTES.equals(await buffer(await blobs.read(key)))).toBe(true);
    }));

  it('makes bytes of several parts readable as an object that is no blob yet', () =>
    withStorage(async ({ staging, blobs }) => {
      const key = newKey();
      await appendAll(staging, key, 50_000);
      expect(BYTES.equals(await staging.withLocalFile(key, (path) => readFile(path)))).toBe(true);
      expect(await staging.append(key, BYTES.length, pieces())).toBe(0);
      expect(await staging.stat(key)).toEqual({ sizeBytes: BYTES.length });
      await staging.discard(key);
      expect(await entriesOf(blobs)).toEqual([]);
    }));

  it('appends to bytes that were read, in place of their end', () =>
    withStorage(async ({ staging, blobs }) => {
      const key = newKey();
      await staging.append(key, 0, pieces(randomBytes(2 * PART_BYTES + 7)));
      await staging.append(key, 0, pieces(BYTES.subarray(0, 2 * PART_BYTES), randomBytes(99)));
      await buffer(await staging.read(key));
      await staging.append(key, 2 * PART_BYTES, pieces(BYTES.subarray(2 * PART_BYTES)));
      await staging.promote(key, BYTES.length);
      expect(BYTES.equals(await buffer(await blobs.read(key)))).toBe(true);
    }));

  it('refuses parts that do not add up', () =>
    withStorage(async ({ staging, blobs }, _server, db) => {
      const key = newKey();
      await appendAll(staging, key, BYTES.length);
      await db.deleteFrom('staged_part').where('number', '=', 2).execute();
      await expect(staging.promote(key, BYTES.length)).rejects.toThrow(/do not add up/);
      expect(await blobs.stat(key)).toBeNull();
    }));

  it('lets one of two processes append, and the other gets StagingConflictError', () =>
    withStorage(async ({ staging, blobs }) => {
      const key = newKey();
      await staging.append(key, 0, pieces('abc'));
      async function* slow() {
        await staging.append(key, 3, pieces('right'));
        yield Buffer.from('wrong');
      }
      await expect(staging.append(key, 3, slow())).rejects.toThrow(StagingConflictError);
      await staging.promote(key, 8);
      expect((await buffer(await blobs.read(key))).toString()).toBe('abcright');
    }));

  it.each(['before', 'after'] as const)(
    'loses and leaves nothing when a process dies %s any of its steps',
    (when) =>
      withS3Client(
        (client, server) =>
          backend.withDb(async (db) => {
            let step = 1;
            for (let hasDied = true; hasDied; step++) {
              const dying = dyingAt(step, when);
              const key = newKey();
              const ledger = { offsetBytes: 0 };
              const run = ({ staging }: Storage) => sendAll(staging, key, ledger);
              await withS3Staging({ client, db, ...dying }, run).catch(() => undefined);
              hasDied = dying.hasDied();
              await withS3Staging({ client, db }, async (storage) => {
                await run(storage);
                expect(BYTES.equals(await buffer(await storage.blobs.read(key)))).toBe(true);
                await storage.blobs.delete(key);
                expect(await entriesOf(storage.staging)).toEqual([]);
              });
              expect(server.state().uploads).toEqual([]);
              expect(server.state().objects).toEqual([]);
            }
            expect(step).toBeGreaterThan(15);
          }),
        { partBytesMin: PART_BYTES },
      ),
  );
});

async function appendAll(staging: Storage['staging'], key: string, chunkBytes: number) {
  for (let offset = 0; offset < BYTES.length; offset += chunkBytes) {
    await staging.append(
      key,
      offset,
      cutAtRandom(BYTES.subarray(offset, offset + chunkBytes), 2000),
    );
  }
}

/** Sends the bytes from the acknowledged offset on, reads them as staged bytes, and promotes them: all may be repeated. */
async function sendAll(
  staging: Storage['staging'],
  key: string,
  ledger: { offsetBytes: number },
): Promise<void> {
  while (ledger.offsetBytes < BYTES.length) {
    const { offsetBytes } = ledger;
    const chunk = BYTES.subarray(offsetBytes, offsetBytes + PART_BYTES + 5000);
    ledger.offsetBytes += await staging.append(key, offsetBytes, pieces(chunk));
  }
  await buffer(await staging.read(key));
  await staging.promote(key, BYTES.length);
}

async function storedBytes(db: Db): Promise<number> {
  const rows = await db.selectFrom('staged_piece').select('bytes').execute();
  return rows.reduce((sum, { bytes }) => sum + bytes.length, 0);
}
