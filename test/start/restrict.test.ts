import { chmod, lstat, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { graphql } from '../support/graphql.ts';
import { runTrivium, withDataDir, withServerProcess } from '../support/process.ts';

/** Returns the modes of everything in a directory, by path; with the directory itself as an empty path. */
async function modesOf(directory: string): Promise<Record<string, string>> {
  const names = ['', ...(await readdir(directory, { recursive: true }))];
  const stats = await Promise.all(names.map((name) => lstat(join(directory, name))));
  return Object.fromEntries(
    stats.map(({ mode }, index) => [names[index], (mode & 0o777).toString(8)]),
  );
}

async function openToAll(directory: string): Promise<void> {
  for (const name of ['', ...(await readdir(directory, { recursive: true }))]) {
    const path = join(directory, name);
    await chmod(path, (await lstat(path)).isDirectory() ? 0o777 : 0o666);
  }
}

const UPLOAD = `mutation ($file: Upload!) {
  uploadFile(input: { file: $file }) { ... on UploadFileSuccess { media { uuid } } }
}`;

it(
  'the data directory is its owner’s alone, whatever its modes were before',
  { timeout: 60_000 },
  () =>
    withDataDir(async (dataDir) => {
      const variables = { TRIVIUM_DATA_DIR: dataDir, TRIVIUM_LOG_LEVEL: 'info' };
      await writeFile(join(dataDir, 'users.json'), '{"users":[]}');
      await openToAll(dataDir);
      const file = new File(['a note'], 'note.txt', { type: 'text/plain' });
      const privateOnly = async () => {
        const modes = await modesOf(dataDir);
        expect(Object.keys(modes)).toEqual(
          expect.arrayContaining([
            '',
            'trivium.db',
            'trivium.db-wal',
            'trivium.db-shm',
            'admin.key',
          ]),
        );
        expect(Object.entries(modes).filter(([, mode]) => !['700', '600'].includes(mode))).toEqual(
          [],
        );
        return Object.keys(modes).filter((path) => /blobs\/stored\/..\/..\/./.test(path));
      };
      await withServerProcess(variables, async (server) => {
        const { data } = await graphql(server, UPLOAD, {}, { files: { file } });
        expect(data.uploadFile.media.uuid).toMatch(/./);
        expect(await privateOnly()).toHaveLength(1);
      });
      await openToAll(dataDir);
      await withServerProcess(variables, async () => {
        expect(await privateOnly()).toHaveLength(1);
      });
    }),
);

it('other files in the data directory, and files behind links, are left alone', () =>
  withDataDir((elsewhere) =>
    withDataDir(async (dataDir) => {
      await writeFile(join(dataDir, 'run.sh'), '');
      await chmod(join(dataDir, 'run.sh'), 0o755);
      await writeFile(join(elsewhere, 'a'), '');
      await chmod(join(elsewhere, 'a'), 0o644);
      await mkdir(join(dataDir, 'blobs', 'stored'), { recursive: true });
      await symlink(join(elsewhere, 'a'), join(dataDir, 'blobs', 'stored', 'link'));
      const made = await runTrivium(['key', 'create', 'x'], { TRIVIUM_DATA_DIR: dataDir });
      expect(made.code).toBe(0);
      const modes = await modesOf(dataDir);
      expect([modes['run.sh'], modes['']]).toEqual(['755', '700']);
      expect(await modesOf(elsewhere)).toMatchObject({ a: '644' });
    }),
  ));
