import { expect, it } from 'vitest';
import type { BlobStore } from '../../../src/blob/blob-store.ts';
import { createFileBlobStore } from '../../../src/blob/file-blob-store.ts';
import { createFileStaging } from '../../../src/blob/file-staging.ts';
import type { MovePlan, StoragePlace } from '../../../src/domain/relocation/begin.ts';
import { moveLibrary } from '../../../src/domain/relocation/move.ts';
import { describeEachBackend } from '../../support/backend.ts';
import {
  dumpDatabase,
  fsck,
  otherThan,
  type Place,
  seedLibrary,
  withPlace,
} from '../../support/move.ts';
import { withS3Storage } from '../../support/s3-storage.ts';

/** Items of the library that moves; 20,000 with `TRIVIUM_TEST_MOVE_ITEMS=20000`. */
const ITEMS = Number(process.env.TRIVIUM_TEST_MOVE_ITEMS || 200);

function databaseOf({ TRIVIUM_DATABASE_URL: url }: Place) {
  return { url, name: url };
}

async function storageOf(place: Place): Promise<StoragePlace> {
  const directory = place.TRIVIUM_STORAGE_URL.slice('file:'.length);
  const blobs = await createFileBlobStore({ directory: `${directory}/stored` });
  return withStaging(place.TRIVIUM_STORAGE_URL, blobs, directory);
}

async function withStaging(
  name: string,
  blobs: BlobStore,
  directory: string,
): Promise<StoragePlace> {
  const staging = await createFileStaging({ directory: `${directory}/staging`, blobs });
  const close = async () => staging.close();
  return { name, blobs, staging, stagingName: directory, close };
}

async function move(plan: MovePlan): Promise<void> {
  const { signal } = new AbortController();
  const options = { isSourceReleased: false, signal, onProgress: () => undefined };
  const { damaged, isNew } = await moveLibrary(plan, options);
  await plan.from.storage?.close();
  await plan.to.storage?.close();
  expect({ damaged, isNew }).toEqual({ damaged: [], isNew: true });
}

describeEachBackend(`a library of ${ITEMS} items`, (backend) => {
  const seconds = 60 + ITEMS / 10;

  it('is equal after it has moved to a bucket and back', { timeout: seconds * 1000 }, () =>
    withS3Storage(({ blobs, scratch }) =>
      withPlace(backend, (first) =>
        withPlace(otherThan(backend), (second) =>
          withPlace(backend, async (third) => {
            await seedLibrary(first, ITEMS);
            const before = await dumpDatabase(first);
            const bucket = await withStaging('s3://bucket', blobs, scratch);
            await move({
              from: { database: databaseOf(first), storage: await storageOf(first) },
              to: { database: databaseOf(second), storage: bucket },
            });
            expect(await dumpDatabase(second)).toEqual(before);
            await move({
              from: { database: databaseOf(second), storage: bucket },
              to: { database: databaseOf(third), storage: await storageOf(third) },
            });
            expect(await dumpDatabase(third)).toEqual(before);
            expect(await fsck(third)).toBe('');
          }),
        ),
      ),
    ),
  );
});
