import { expect, it } from 'vitest';
import { isForeignKeyViolation, isUniqueViolation } from '../../src/store/error.ts';
import { unlessBusy } from '../../src/store/limit.ts';
import { describeEachBackend } from '../support/backend.ts';
import { makeFileRow, makeMediaRow, makeTag } from '../support/make.ts';

describeEachBackend('store errors', (backend) => {
  it('a value that a unique column holds already is a unique violation', () =>
    backend.withDb(async (db) => {
      await makeMediaRow(db, { resource: 'taken' });
      const error = await failure(makeMediaRow(db, { resource: 'taken' }));
      expect([isUniqueViolation(error), isForeignKeyViolation(error)]).toEqual([true, false]);
    }));

  it('a pair that is unique together is a unique violation', () =>
    backend.withDb(async (db) => {
      const mediaId = await makeMediaRow(db);
      await makeFileRow(db, mediaId);
      expect(isUniqueViolation(await failure(makeFileRow(db, mediaId)))).toBe(true);
    }));

  it('an existing primary key is a unique violation', () =>
    backend.withDb(async (db) => {
      const { id } = await makeTag(db);
      expect(isUniqueViolation(await failure(makeTag(db, { id })))).toBe(true);
    }));

  it('a reference to a missing row is a foreign key violation', () =>
    backend.withDb(async (db) => {
      const error = await failure(makeFileRow(db, 404));
      expect([isForeignKeyViolation(error), isUniqueViolation(error)]).toEqual([true, false]);
    }));

  it('the deletion of a row that others refer to is a foreign key violation', () =>
    backend.withDb(async (db) => {
      await makeFileRow(db, await makeMediaRow(db));
      expect(isForeignKeyViolation(await failure(db.deleteFrom('media').execute()))).toBe(true);
    }));

  it('a missing value is neither', () =>
    backend.withDb(async (db) => {
      const error = await failure(makeTag(db, { name: null as unknown as string }));
      expect([isUniqueViolation(error), isForeignKeyViolation(error)]).toEqual([false, false]);
    }));

  it.each(['SQLITE_FULL', 'SQLITE_READONLY', '53100'])(
    'a change that is worth no wait is skipped while nothing can be written: %s',
    (code) =>
      backend.withDb(async (db) => {
        const change = async () => {
          throw Object.assign(new Error('no'), { code });
        };
        await unlessBusy(db, change);
        const bug = unlessBusy(db, async () => {
          throw new Error('bug');
        });
        await expect(bug).rejects.toThrow('bug');
      }),
  );

  it('an error that is not a database’s is neither', () => {
    for (const error of [undefined, null, 'text', { code: '23505' }, new Error('x')]) {
      expect([isUniqueViolation(error), isForeignKeyViolation(error)]).toEqual([false, false]);
    }
  });
});

async function failure(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => expect.unreachable('it should have failed'),
    (error) => error,
  );
}
