import { expect, it } from 'vitest';
import type { Db } from '../../src/store/db.ts';
import { isAnyOf } from '../../src/store/dialect.ts';
import { prepared } from '../../src/store/prepared.ts';
import { EVERYTHING } from '../../src/store/scope.ts';
import { inTransaction } from '../../src/store/transaction.ts';
import { findMediaById, listMediasByIds } from '../../src/store/tree/media.ts';
import { listNodes, updateNode } from '../../src/store/tree/node.ts';
import { describeEachBackend } from '../support/backend.ts';
import { makeFolder, makeMediaRow } from '../support/make.ts';

const BY_ID = {
  name: 'by id',
  columns: [{ name: 'id', type: 'number' }],
  descending: false,
} as const;

interface Args {
  column: 'name' | 'uuid';
  ids: readonly number[];
}

describeEachBackend('a prepared query', (backend) => {
  it('is built once for each of its texts, and takes the values of each run', () =>
    backend.withDb(async (db) => {
      const ids = [await makeMediaRow(db, { name: 'a' }), await makeMediaRow(db, { name: 'b' })];
      const built: string[] = [];
      const run = prepared<Args, { name?: string }>({
        keyOf: ({ column }) => column,
        lookupsOf: ({ ids }) => ids.length,
        build: (db, { column }, slot) => {
          built.push(column);
          const isOne = isAnyOf(
            db,
            'id',
            slot((args: Args) => args.ids),
          );
          return db.selectFrom('media').where(isOne).select(column);
        },
      });
      for (const id of ids) {
        const name = id === ids[0] ? 'a' : 'b';
        expect(await run(db, { column: 'name', ids: [id] })).toEqual([{ name }]);
      }
      expect(await run(db, { column: 'name', ids })).toHaveLength(2);
      expect(Object.keys((await run(db, { column: 'uuid', ids }))[0]!)).toEqual(['uuid']);
      expect(built).toEqual(['name', 'uuid']);
    }));

  it('reads the pages of different folders, from different places', () =>
    backend.withDb(async (db) => {
      const folders = [await makeFolder(db), await makeFolder(db)];
      const place = (folder: number) => ({ parent_id: folder, level: 2, path: `/1/${folder}/` });
      const medias = [];
      for (const folder of [...folders, ...folders])
        medias.push(await makeMediaRow(db, place(folder)));
      const page = async (folder: number, limit: number, after?: number) => {
        const request = {
          limit,
          backward: false,
          after: after === undefined ? undefined : [after],
        };
        const filter = { folderId: folders[folder]! };
        const { rows, hasMore } = await listNodes(db, EVERYTHING, filter, BY_ID, request);
        return { ids: rows.map(({ id }) => id), hasMore };
      };
      expect(await page(0, 2)).toEqual({ ids: [medias[0], medias[2]], hasMore: false });
      expect(await page(1, 1)).toEqual({ ids: [medias[1]], hasMore: true });
      expect(await page(1, 1, medias[1])).toEqual({ ids: [medias[3]], hasMore: false });
      expect(await page(0, 1, medias[2])).toEqual({ ids: [], hasMore: false });
    }));

  it('sees the changes of its own transaction, and those of another only after the commit', () =>
    backend.withDb(async (db) => {
      const id = await makeMediaRow(db, { name: 'before' });
      const name = async (db: Db) => (await findMediaById(db, EVERYTHING, id))?.name;
      expect(await name(db)).toBe('before');
      let outside: Promise<string | undefined> | undefined;
      await inTransaction(db, async (inner) => {
        await updateNode(inner, EVERYTHING, id, { name: 'after' });
        outside = name(db);
        expect(await name(inner)).toBe('after');
        const isSettled = await Promise.race([outside, Promise.resolve('waits')]);
        expect(['waits', 'before']).toContain(isSettled);
      });
      // On SQLite it has waited for the connection; on PostgreSQL it may have been sent before the commit.
      expect(backend.name === 'sqlite' ? ['after'] : ['before', 'after']).toContain(await outside);
      expect(await name(db)).toBe('after');
    }));

  it('that rolls back has changed nothing that a read sees', () =>
    backend.withDb(async (db) => {
      const id = await makeMediaRow(db, { name: 'before' });
      let outside: Promise<{ name: string }[]> | undefined;
      const failing = inTransaction(db, async (inner) => {
        await updateNode(inner, EVERYTHING, id, { name: 'after' });
        outside = listMediasByIds(db, EVERYTHING, [id]);
        throw new Error('stop');
      });
      await expect(failing).rejects.toThrow('stop');
      expect(await outside).toMatchObject([{ name: 'before' }]);
    }));
});
