import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import type { BlobStore } from '../../../src/blob/blob-store.ts';
import { createFileBlobStore } from '../../../src/blob/file-blob-store.ts';
import { backUp } from '../../../src/domain/backup/backup.ts';
import { restore } from '../../../src/domain/backup/restore.ts';
import { refuseUnfinishedRestore } from '../../../src/domain/backup/unfinished-restore.ts';
import { deleteUnnamedBlobs } from '../../../src/domain/file/delete-bytes.ts';
import { sweep } from '../../../src/domain/file/sweep.ts';
import { openDb } from '../../../src/store/db.ts';
import { type Backend, describeEachBackend } from '../../support/backend.ts';
import { type Library, withLibrary } from '../../support/library.ts';

const EVERYTHING = { modifiedBefore: Number.POSITIVE_INFINITY };
const SETTINGS = { keep: 7, isVerifying: false, onProgress: () => undefined };
const SILENT = { onProgress: () => undefined, report: () => undefined };

function backUpTo(
  { databaseUrl, directory, services }: Library,
  settings: Partial<Parameters<typeof backUp>[2]> = {},
  blobs = services.blobs,
) {
  const key = join(directory, 'url.key');
  writeFileSync(key, 'secret');
  const { db, newId } = services;
  const source = { services: { db, newId, blobs, clock: Date.now }, databaseUrl, keyFiles: [key] };
  return backUp(source, join(directory, 'backup'), { ...SETTINGS, ...settings });
}

/** Returns the store with `onRead` called before each read, or `onPut` before each put. */
function hooked<Store extends BlobStore>(
  store: Store,
  { onRead, onPut }: { onRead?: () => unknown; onPut?: () => unknown },
): Store {
  return {
    ...store,
    delete: (key) => store.delete(key),
    stat: (key) => store.stat(key),
    withLocalFile: (key, work) => store.withLocalFile(key, work),
    list: () => store.list(),
    async read(key) {
      await onRead?.();
      return store.read(key);
    },
    async put(key, sizeBytes, source) {
      await onPut?.();
      return store.put(key, sizeBytes, source);
    },
  };
}

/** Restores the newest snapshot into an empty database and directory, and passes them to `check`. */
function restored(
  backend: Backend,
  { directory }: Pick<Library, 'directory'>,
  check: (target: { databaseUrl: string; dataDir: string; blobs: BlobStore }) => Promise<void>,
): Promise<void> {
  return backend.withUrl(async (databaseUrl) => {
    const dataDir = join(directory, 'restored');
    const blobs = await createFileBlobStore({ directory: join(dataDir, 'stored') });
    await check({ databaseUrl, dataDir, blobs });
    rmSync(dataDir, { recursive: true });
  }, 'empty');
}

/** Returns the texts of all files of a database. */
async function textsIn(url: string, blobs: BlobStore): Promise<string[]> {
  const db = openDb({ url });
  try {
    const files = await db.selectFrom('file').select('blob_key').execute();
    const read = async (key: string) => text(await blobs.read(key));
    return (await Promise.all(files.map(({ blob_key }) => read(blob_key)))).sort();
  } finally {
    await db.destroy();
  }
}

describeEachBackend('a backup', (backend) => {
  it('restores to the same rows, files and keys, without what only the old server could continue', () =>
    withLibrary(backend, async (library) => {
      const { db } = library.services;
      const [one] = [await library.add('one'), await library.add('two')];
      const rendition = {
        file_id: one.id,
        source_blob_key: one.blob_key,
        spec: 'w',
        mime_type: 'a',
      };
      const made = { size_bytes: 1, md5: 'x', blob_key: '0'.repeat(32), created_at: 0, used_at: 0 };
      await db
        .insertInto('rendition')
        .values({ ...rendition, ...made })
        .execute();
      await db.updateTable('file').set({ thumbnail_sizes: '160' }).execute();
      await db
        .insertInto('session')
        .values({ token_sha256: 'a', user_id: null, created_at: 0, expires_at: 1 })
        .execute();
      const { manifest, copied, path } = await backUpTo(library);
      // What the renditions said is forgotten with them.
      await db.updateTable('file').set({ thumbnail_sizes: null }).execute();
      expect(manifest).toMatchObject({ database: backend.name, damaged: [], blobs: { count: 2 } });
      expect(copied).toEqual({ count: 2, sizeBytes: 6 });
      expect(readdirSync(join(path, 'keys'))).toEqual(['url.key']);
      await restored(backend, library, async (target) => {
        const done = await restore(join(library.directory, 'backup'), target, SILENT);
        expect(done).toMatchObject({ damaged: [], snapshot: path.split('/').at(-1) });
        expect(await textsIn(target.databaseUrl, target.blobs)).toEqual(['one', 'two']);
        expect(readFileSync(join(target.dataDir, 'url.key'), 'utf8')).toBe('secret');
        const copy = openDb({ url: target.databaseUrl });
        try {
          for (const table of ['media', 'file', 'usage', 'migration'] as const) {
            const rows = (from: typeof db) =>
              from
                .selectFrom(table as 'media')
                .selectAll()
                .execute();
            expect(await rows(copy), table).toEqual(await rows(db));
          }
          expect(await copy.selectFrom('rendition').selectAll().execute()).toEqual([]);
          expect(await copy.selectFrom('session').selectAll().execute()).toEqual([]);
          expect(await copy.selectFrom('blob_hold').selectAll().execute()).toEqual([]);
          // Ids are not used again, and triggers and references work.
          await copy.deleteFrom('file').where('id', '=', one.id).execute();
          const orphan = copy.updateTable('media').set({ parent_id: 999 }).execute();
          await expect(orphan).rejects.toThrow(/foreign key/i);
        } finally {
          await copy.destroy();
        }
      });
    }));

  it('copies only new files, and deletes those of snapshots that are not kept', () =>
    withLibrary(backend, async (library) => {
      const one = await library.add('one');
      await backUpTo(library);
      await library.add('three');
      await library.services.db.deleteFrom('file').where('id', '=', one.id).execute();
      const second = await backUpTo(library);
      expect(second).toMatchObject({ copied: { count: 1, sizeBytes: 5 }, pruned: 0 });
      const third = await backUpTo(library, { keep: 1 });
      expect(third).toMatchObject({ copied: { count: 0 }, pruned: 1, manifest: { damaged: [] } });
      expect(readdirSync(join(library.directory, 'backup/snapshots'))).toHaveLength(1);
    }));

  it('holds every file of its moment, also those that are deleted before they are copied', () =>
    withLibrary(backend, async (library) => {
      const { services } = library;
      const files = [
        await library.add('one'),
        await library.add('two'),
        await library.add('three'),
      ];
      const keys = files.map(({ blob_key }) => blob_key);
      let isFirst = true;
      const onRead = async () => {
        if (!isFirst) return;
        isFirst = false;
        await services.db.deleteFrom('file').execute();
        await deleteUnnamedBlobs(services, keys);
        await sweep(services, EVERYTHING);
      };
      const { manifest, copied } = await backUpTo(library, {}, hooked(services.blobs, { onRead }));
      expect([manifest.damaged, copied.count]).toEqual([[], 3]);
      expect(await sweep(services, EVERYTHING)).toEqual({ removed: 3, lost: 0 });
      await restored(backend, library, async (target) => {
        await restore(join(library.directory, 'backup'), target, SILENT);
        expect(await textsIn(target.databaseUrl, target.blobs)).toEqual(['one', 'three', 'two']);
      });
    }));

  it('names damaged and missing files, copies the others, and keeps good copies of earlier ones', () =>
    withLibrary(backend, async (library) => {
      const [good, bad] = [await library.add('good'), await library.add('bad')];
      const damage = (file: typeof good) => writeFileSync(pathOf(library, file), 'ba?');
      damage(bad);
      expect(await backUpTo(library)).toMatchObject({
        manifest: { damaged: [bad.blob_key] },
        copied: { count: 1 },
      });
      damage(good);
      rmSync(pathOf(library, bad));
      const { manifest } = await backUpTo(library, { isVerifying: true });
      expect(manifest.damaged).toEqual([bad.blob_key]);
      await restored(backend, library, async (target) => {
        const { damaged } = await restore(join(library.directory, 'backup'), target, SILENT);
        expect(damaged).toEqual([bad.blob_key]);
        expect(await text(await target.blobs.read(good.blob_key))).toBe('good');
      });
    }));

  it('is refused while another one writes to the same directory', () =>
    withLibrary(backend, async (library) => {
      await library.add('one');
      let second = '';
      const onRead = async () => {
        second = await backUpTo(library).then(String, String);
      };
      await backUpTo(library, {}, hooked(library.services.blobs, { onRead }));
      expect(second).toMatch(/Another backup to .* is running/);
    }));

  it('is refused by a directory that holds anything else', () =>
    withLibrary(backend, async (library) => {
      mkdirSync(join(library.directory, 'backup'));
      writeFileSync(join(library.directory, 'backup/thesis.txt'), '');
      await expect(backUpTo(library)).rejects.toThrow('holds "thesis.txt"');
    }));
});

describeEachBackend('a restore', (backend) => {
  it('that was interrupted keeps servers away, and can be started again', () =>
    withLibrary(backend, async (library) => {
      for (const word of ['one', 'two', 'three']) await library.add(word);
      await backUpTo(library);
      await restored(backend, library, async (target) => {
        let puts = 0;
        const onPut = () => {
          puts += 1;
          if (puts === 3) throw new Error('power cut');
        };
        const path = join(library.directory, 'backup');
        const broken = { ...target, blobs: hooked(target.blobs, { onPut }) };
        await expect(restore(path, broken, SILENT)).rejects.toThrow('power cut');
        await expect(refuseUnfinishedRestore(target.dataDir)).rejects.toThrow('not been completed');
        // Somebody else's database is not taken for one that the first attempt has filled.
        const foreign = { ...broken, databaseUrl: library.databaseUrl };
        await expect(restore(path, foreign, SILENT)).rejects.toThrow('database is not empty');
        await restore(path, broken, SILENT);
        expect(puts).toBe(4);
        await refuseUnfinishedRestore(target.dataDir);
        expect(await textsIn(target.databaseUrl, target.blobs)).toEqual(['one', 'three', 'two']);
        await expect(restore(path, target, SILENT)).rejects.toThrow('database is not empty');
      });
    }));

  it('changes nothing if the snapshot is newer, damaged, incomplete, or of another system', () =>
    withLibrary(backend, async (library) => {
      await library.add('one');
      const { path } = await backUpTo(library);
      const manifestPath = join(path, 'manifest.json');
      const manifest = readFileSync(manifestPath, 'utf8');
      const database = backend.name === 'sqlite' ? 'postgres' : 'sqlite';
      const migrations = ['0001-init', '9999-future'];
      await restored(backend, library, async (target) => {
        const attempt = async (change: object) => {
          writeFileSync(manifestPath, JSON.stringify({ ...JSON.parse(manifest), ...change }));
          return restore(join(library.directory, 'backup'), target, SILENT);
        };
        await expect(attempt({ format: 2 })).rejects.toThrow('newer version');
        await expect(attempt({ migrations })).rejects.toThrow(
          'newer version of this program (it has 9999',
        );
        await expect(attempt({ database })).rejects.toThrow('same system');
        rmSync(join(path, 'blobs.ndjson.gz'));
        await expect(attempt({})).rejects.toThrow('damaged or missing');
        renameSync(path, `${path}.part`);
        await expect(attempt({})).rejects.toThrow();
        writeFileSync(join(target.dataDir, 'other'), '');
        expect(readdirSync(target.dataDir).sort()).toEqual(['other', 'stored']);
        for await (const { key } of target.blobs.list()) expect.fail(key);
      });
    }));
});

function pathOf({ directory }: Library, { blob_key: key }: { blob_key: string }): string {
  return join(directory, 'stored', key.slice(0, 2), key.slice(2, 4), key);
}
