import { expect, it } from 'vitest';
import type { Db } from '../../../src/store/db.ts';
import {
  deleteLeastUsedRenditions,
  sumRenditionBytes,
} from '../../../src/store/rendition/rendition.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { makeFileRow, makeMediaRow } from '../../support/make.ts';

describeEachBackend('room for renditions', (backend) => {
  it('is freed by deleting the least recently used, at most 5,000 at once', () =>
    backend.withDb(async (db) => {
      // The later it was created, the longer it has not been used.
      await makeRenditions(db, 6000);
      const [{ id: keptId } = { id: 0 }] = await renditions(db);
      expect(await sumRenditionBytes(db)).toBe(6000 * (904 + 4096));
      const room = (neededBytes: number) => deleteLeastUsedRenditions(db, { neededBytes, keptId });
      expect(await room(0)).toEqual([]);
      expect(await room(1)).toEqual(['blob 5998']);
      expect((await room(2 * 5000)).sort()).toEqual(['blob 5996', 'blob 5997']);
      expect(await room(1e9)).toHaveLength(5000);
      expect(await room(1e9)).toHaveLength(996);
      expect(await renditions(db)).toMatchObject([{ id: keptId, blob_key: 'blob 5999' }]);
    }));
});

function renditions(db: Db) {
  return db.selectFrom('rendition').orderBy('used_at').selectAll().execute();
}

async function makeRenditions(db: Db, count: number): Promise<void> {
  await makeFileRow(db, await makeMediaRow(db));
  const { id } = await db.selectFrom('file').select('id').executeTakeFirstOrThrow();
  for (let from = 0; from < count; from += 1000) {
    const rows = Array.from({ length: 1000 }, (_, index) => ({
      ...{ file_id: id, source_blob_key: 'source', spec: `${from + index}` },
      ...{ mime_type: 'image/png', size_bytes: 904, md5: '', created_at: 0 },
      ...{ blob_key: `blob ${from + index}`, used_at: count - from - index },
    }));
    await db.insertInto('rendition').values(rows).execute();
  }
}
