import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openDb } from '../../../src/store/db.ts';
import { openMoveConnection } from '../../../src/store/relocation/open-connection.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { runInProcess } from '../../support/command.ts';
import {
  dumpDatabase,
  fsck,
  moveArgs,
  otherThan,
  type Place,
  seedLibrary,
  withPlace,
} from '../../support/move.ts';

/** The smallest number that `seedLibrary` takes. */
const ITEMS = 200;

/** Returns the path of the bytes of a file of a library, and its name. */
async function firstFile(place: Place): Promise<{ path: string; key: string; filename: string }> {
  const db = openDb({ url: place.TRIVIUM_DATABASE_URL });
  const file = await db.selectFrom('file').selectAll().orderBy('id').executeTakeFirstOrThrow();
  await db.destroy();
  const { blob_key: key, filename } = file;
  const stored = join(place.TRIVIUM_DATA_DIR, 'blobs', 'stored');
  return { path: join(stored, key.slice(0, 2), key.slice(2, 4), key), key, filename };
}

/** Changes a row as a server would. */
async function change({ TRIVIUM_DATABASE_URL: url }: Place): Promise<void> {
  const db = openDb({ url });
  try {
    await db.updateTable('tag').set({ color: '#123456' }).where('id', '=', 1).execute();
  } finally {
    await db.destroy();
  }
}

async function run(args: readonly string[], place: Place) {
  const { code, output, errors } = await runInProcess(args, place);
  return { code, text: output + errors };
}

function withBoth(
  backend: Parameters<typeof withPlace>[0],
  work: (from: Place, to: Place) => Promise<void>,
): Promise<void> {
  return withPlace(backend, (from) => withPlace(otherThan(backend), (to) => work(from, to)));
}

describeEachBackend('trivium move', (backend) => {
  const timeout = 60_000;

  it('names what is damaged in the source, and moves the rest', { timeout }, () =>
    withBoth(backend, async (from, to) => {
      await seedLibrary(from, ITEMS);
      const { path, key, filename } = await firstFile(from);
      await writeFile(path, 'other bytes');
      const moved = await run(moveArgs(from, to), from);
      expect(moved.code).toBe(1);
      expect(moved.text).toContain(`not moved: blob ${key} (file ${JSON.stringify(filename)})`);
      expect(moved.text).toContain('missing or damaged: 1');
      expect(
        (await fsck(to)).split('\n').filter((line) => line.startsWith('damaged')),
      ).toHaveLength(1);
      expect(await dumpDatabase(to)).toEqual(await dumpDatabase(from));
    }),
  );

  it('leaves the source read-only until it is released', { timeout }, () =>
    withBoth(backend, async (from, to) => {
      await seedLibrary(from, ITEMS);
      expect((await run(moveArgs(from, to), from)).code).toBe(0);
      await expect(change(from)).rejects.toThrow('the library has been moved');
      await change(to);
      expect((await run(moveArgs(from, to), from)).text).toContain('the move had ended before');
      const source = ['--from', from.TRIVIUM_DATABASE_URL];
      expect((await run(['move', ...source, '--abort'], from)).code).toBe(1);
      expect((await run(['move', ...source, '--release'], from)).code).toBe(0);
      await change(from);
      await expectNoTrace(from);
      await expectNoTrace(to);
    }),
  );

  it('gives the source back at once with --keep-writable', { timeout }, () =>
    withBoth(backend, async (from, to) => {
      await seedLibrary(from, ITEMS);
      expect((await run([...moveArgs(from, to), '--keep-writable'], from)).code).toBe(0);
      await change(from);
      await expectNoTrace(from);
      await expectNoTrace(to);
    }),
  );

  it('moves files only, and rows only', { timeout }, () =>
    withBoth(backend, async (from, to) => {
      await seedLibrary(from, ITEMS);
      const { TRIVIUM_STORAGE_URL } = to;
      const files = await run(['move', '--to-storage', TRIVIUM_STORAGE_URL], from);
      expect(files).toMatchObject({ code: 0 });
      expect((await run(['move', '--release'], from)).code).toBe(0);
      const between = { ...from, TRIVIUM_STORAGE_URL };
      expect(await fsck(between)).toBe('');
      const rows = await run(['move', '--to', to.TRIVIUM_DATABASE_URL], between);
      expect(rows).toMatchObject({ code: 0 });
      expect(await fsck(to)).toBe('');
    }),
  );

  it('refuses a target that is not empty, and changes nothing', { timeout }, () =>
    withBoth(backend, async (from, to) => {
      await seedLibrary(from, ITEMS);
      await seedLibrary(to, ITEMS);
      const both = await run(moveArgs(from, to), from);
      expect([both.code, both.text]).toEqual([1, expect.stringContaining('is not empty')]);
      const rows = await run(['move', '--to', to.TRIVIUM_DATABASE_URL], from);
      expect([rows.code, rows.text]).toEqual([1, expect.stringContaining('is not empty')]);
      await expectNoTrace(from);
      expect(await fsck(to)).toBe('');
    }),
  );

  it(
    'has a target that no server opens until the move has ended, and can be aborted',
    { timeout },
    () =>
      withBoth(backend, async (from, to) => {
        await seedLibrary(from, ITEMS);
        const { path } = await firstFile(from);
        // A directory in the place of a file is no damage, but a failure: the move ends after it has begun.
        await rm(path);
        await mkdir(path);
        expect((await run(moveArgs(from, to), from)).code).toBe(1);
        const opened = await run(['fsck'], to);
        expect([opened.code, opened.text]).toEqual([2, expect.stringContaining('has not ended')]);
        const other = await run(['move', '--to', `${to.TRIVIUM_DATABASE_URL}x`], from);
        expect([other.code, other.text]).toEqual([1, expect.stringContaining('is being moved to')]);
        const source = ['--from', from.TRIVIUM_DATABASE_URL];
        expect((await run(['move', ...source, '--abort'], from)).code).toBe(0);
        await change(from);
        await expectNoTrace(from);
      }),
  );
});

/** Checks that a database has no mark, no noted changes and no triggers of a move. */
async function expectNoTrace({ TRIVIUM_DATABASE_URL }: Place): Promise<void> {
  const connection = await openMoveConnection(TRIVIUM_DATABASE_URL);
  const triggers =
    connection.dialect === 'postgres'
      ? `select tgname from pg_trigger where tgname like 'library_move%'`
      : `select name from sqlite_master where type = 'trigger' and name like 'library_move%'`;
  const found = [
    ...(await connection.run('select * from library_move')),
    ...(await connection.run('select * from move_change')),
    ...(await connection.run(triggers)),
  ];
  await connection.close();
  expect(found).toEqual([]);
}
