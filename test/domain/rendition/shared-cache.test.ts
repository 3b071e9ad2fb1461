import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { newBlobKey } from '../../../src/domain/file/blob-key.ts';
import { keepRendition } from '../../../src/domain/rendition/cache.ts';
import { type Db, openDb } from '../../../src/store/db.ts';
import { sumRenditionBytes } from '../../../src/store/rendition/rendition.ts';
import { createTestServices, type TestServices } from '../../support/app.ts';
import { type Backend, describeEachBackend } from '../../support/backend.ts';
import { md5Of } from '../../support/bytes.ts';
import { type Library, withLibrary } from '../../support/library.ts';

/** Renditions that processes make at once: far more than the cache holds. */
const COUNT = 60;
const BYTES = Buffer.alloc(2000, 'r');
const BYTES_MAX = 16_000;

describeEachBackend('the cache of renditions that two processes fill', (backend) => {
  it('keeps to its bound once they have ended', () =>
    withLibrary(backend, (library) =>
      withOtherProcess(backend, library, async (processes) => {
        const files = [];
        for (let n = 0; n < COUNT; n++) files.push(await library.add(`file ${n}`));
        for (let round = 0; round < 3; round++) {
          await Promise.all(
            files.map((file, n) => keep(processes[n % processes.length]!, file, `w${round}`)),
          );
          const takenBytes = await sumRenditionBytes(library.services.db);
          expect(takenBytes).toBeGreaterThan(BYTES_MAX / 2);
          expect(takenBytes).toBeLessThanOrEqual(BYTES_MAX);
        }
      }),
    ));
});

async function keep(
  services: TestServices,
  file: Parameters<typeof keepRendition>[1],
  spec: string,
): Promise<void> {
  const blobKey = newBlobKey();
  await services.blobs.put(blobKey, BYTES.length, [BYTES]);
  await keepRendition(services.as(), file, {
    spec,
    mime_type: 'image/webp',
    size_bytes: BYTES.length,
    md5: md5Of(BYTES),
    blob_key: blobKey,
    created_at: Date.now(),
  });
}

/** Lends two processes: each has connections of its own, both the same storage. On SQLite one process has both roles. */
async function withOtherProcess(
  backend: Backend,
  { services, databaseUrl }: Library,
  work: (processes: TestServices[]) => Promise<void>,
): Promise<void> {
  const settings = { renditionCacheBytesMax: BYTES_MAX };
  // Ids that the processes do not count alike.
  const open = (db: Db) =>
    Object.assign(createTestServices({ ...services, db }, settings), { newId: randomUUID });
  const one = open(services.db);
  if (backend.name === 'sqlite') return work([one]);
  const db = openDb({ url: databaseUrl });
  await work([one, open(db)]).finally(() => db.destroy());
}
