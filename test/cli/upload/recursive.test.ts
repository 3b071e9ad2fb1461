import { mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { TestApp } from '../../support/app.ts';
import { withCli } from '../../support/cli.ts';
import { graphql } from '../../support/graphql.ts';

/** Writes files with these contents below a directory, and creates the directories that they need. */
async function writeTree(directory: string, files: Record<string, string>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(join(directory, path, '..'), { recursive: true });
    await writeFile(join(directory, path), content);
  }
}

/** Returns the paths of all folders, which end with a slash, and media, by the names on the server. */
async function pathsOf({ services }: TestApp): Promise<string[]> {
  const select = services.db.selectFrom('media').select(['id', 'parent_id', 'name', 'type']);
  const rows = await select.execute();
  const pathOf = (row: (typeof rows)[number]): string => {
    const parent = rows.find(({ id }) => id === row.parent_id);
    // The root has no name.
    const isTop = parent === undefined || parent.parent_id === null;
    const end = row.type === 'folder' ? `${row.name}/` : row.name;
    return isTop ? end : pathOf(parent) + end;
  };
  return rows
    .filter(({ id }) => id !== 1)
    .map(pathOf)
    .sort();
}

async function countUploads({ services }: TestApp): Promise<number> {
  return (await services.db.selectFrom('upload').select('upload_id').execute()).length;
}

test('--recursive makes folders of directories, empty ones too, and skips links, hidden and empty files', () =>
  withCli(async ({ app, directory, trivium }) => {
    await writeTree(directory, {
      'tree/top.txt': 'top',
      'tree/below/deep/one.txt': 'one',
      'tree/below/.hidden': 'no',
      'tree/.git/config': 'no',
      'tree/below/empty.txt': '',
    });
    await mkdir(join(directory, 'tree/nothing'));
    await symlink('/etc', join(directory, 'tree/link'));
    const run = await trivium([
      'upload',
      '-r',
      'tree',
      '--folder',
      '/Photos/2026',
      '--create-folder',
    ]);
    expect(run.code).toBe(0);
    expect(run.stderr.trimEnd().split('\n')).toEqual([
      'trivium: skipped 2 hidden entries',
      'trivium: skipped tree/below/empty.txt: empty',
      'trivium: skipped tree/link: a symbolic link',
    ]);
    expect(await pathsOf(app)).toEqual(
      [
        'Photos/',
        'Photos/2026/',
        'Photos/2026/tree/',
        'Photos/2026/tree/below/',
        'Photos/2026/tree/below/deep/',
        'Photos/2026/tree/below/deep/one.txt',
        'Photos/2026/tree/nothing/',
        'Photos/2026/tree/top.txt',
      ].sort(),
    );
    const hidden = await trivium(['upload', '-r', '--hidden', 'tree/.git']);
    expect([hidden.code, hidden.stderr]).toEqual([0, '']);
    expect(await pathsOf(app)).toEqual(expect.arrayContaining(['.git/config']));
  }));

test('a second run uses the folders, sends nothing again, and adds what is new or has changed', () =>
  withCli(async ({ app, directory, trivium }) => {
    await writeTree(directory, { 'a/one.txt': 'one', 'a/b/two.txt': 'two', 'a/b/same.txt': 'two' });
    const first = await trivium(['upload', '-r', 'a', '--json', '--tag', 'x']);
    const done = first.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(done.map(({ path, status }) => [path, status])).toEqual([
      ['a/b/same.txt', 'stored'],
      ['a/b/two.txt', 'stored'],
      ['a/one.txt', 'stored'],
    ]);
    const sessions = await countUploads(app);
    await writeTree(directory, { 'a/three.txt': 'three', 'a/one.txt': 'another' });
    const second = await trivium(['upload', '-r', 'a', '--json', '--tag', 'y']);
    const again = second.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(again.map(({ path, status }) => [path, status])).toEqual([
      ['a/b/same.txt', 'exists'],
      ['a/b/two.txt', 'exists'],
      ['a/one.txt', 'stored'],
      ['a/three.txt', 'stored'],
    ]);
    expect(again.slice(0, 2).map(({ id }) => id)).toEqual(done.slice(0, 2).map(({ id }) => id));
    expect(await countUploads(app)).toBe(sessions + 2);
    const query = '{ folder(by: { path: "/a/b" }) { medias { nodes { tags { name } } } } }';
    const { data } = await graphql(app, query, {}, { authorization: `Bearer ${app.adminKey}` });
    const tags = [{ name: 'x' }, { name: 'y' }];
    expect(data.folder.medias.nodes).toEqual([{ tags }, { tags }]);
    const all = await trivium(['upload', '-r', 'a', '--no-resume']);
    expect([all.code, await countUploads(app)]).toEqual([0, sessions + 6]);
  }));

test('odd names come through, in NFC; a name that is not UTF-8, or blank, fails with what is in it', () =>
  withCli(async ({ app, directory, trivium }) => {
    await writeTree(directory, {
      'x/e\u0301te\u0301/a\tb.txt': '1',
      'x/e\u0301te\u0301/-rf': '2',
      'x/e\u0301te\u0301/it\'s "quoted" & $HOME.txt': '3',
      'x/ /lost.txt': '4',
      'x/%2e%2e#?.txt': '5',
      'x/日本/🏳️‍🌈.txt': '6',
    });
    const bytes = Buffer.concat([Buffer.from(`${directory}/x/`), Buffer.from([0xff])]);
    await rename(join(directory, 'x/%2e%2e#?.txt'), bytes);
    const run = await trivium(['upload', '-r', 'x']);
    expect(run.code).toBe(1);
    expect(run.stderr).toContain('trivium: x/\ufffd: the name is not UTF-8');
    expect(run.stderr).toMatch(/trivium: x\/ : .*blank.* \(with 1 files in it\)/);
    expect(run.stdout.split('\n').filter(Boolean)).toHaveLength(4);
    for (const line of run.stdout.trimEnd().split('\n')) expect(line.split('\t')).toHaveLength(3);
    expect(await pathsOf(app)).toEqual(
      [
        'x/',
        'x/\u00e9t\u00e9/',
        'x/\u00e9t\u00e9/-rf',
        'x/\u00e9t\u00e9/ab.txt',
        'x/\u00e9t\u00e9/it\'s "quoted" & $HOME.txt',
        'x/日本/',
        'x/日本/🏳️‍🌈.txt',
      ].sort(),
    );
    const again = await trivium(['upload', '-r', 'x', '--json']);
    expect(again.stdout.match(/"status":"exists"/g)).toHaveLength(4);
  }));

test('"DIR/." stands for what is in the directory, and needs a folder for it', () =>
  withCli(async ({ app, directory, trivium }) => {
    await writeTree(directory, { 'here/one.txt': 'one', 'here/sub/two.txt': 'two' });
    const without = await trivium(['upload', '-r', 'here/.']);
    expect([without.code, without.stderr]).toEqual([
      2,
      'trivium: Name a --folder for what is in the directory.\n',
    ]);
    const run = await trivium(['upload', '-r', 'here/.', '--folder', 'Kept', '--create-folder']);
    expect([run.code, run.stderr]).toEqual([0, '']);
    expect(await pathsOf(app)).toEqual(['Kept/', 'Kept/one.txt', 'Kept/sub/', 'Kept/sub/two.txt']);
  }));

test('the summary counts the files of a folder that cannot be created, and names an empty one', () =>
  withCli(async ({ app, directory, trivium }) => {
    await writeTree(directory, { 'two/a.txt': 'a', 'two/b.txt': 'b', 'two/sub/c.txt': 'c' });
    await mkdir(join(directory, 'empty'));
    const mutation =
      'mutation { createApiKey(input: { name: "r", role: READER }) { ... on CreateApiKeySuccess { key } } }';
    const authorization = `Bearer ${app.adminKey}`;
    const { data } = await graphql(app, mutation, {}, { authorization });
    const TRIVIUM_API_KEY = data.createApiKey.key;
    const linesOf = async (...paths: string[]) => {
      const { code, stderr } = await trivium(['upload', '-r', ...paths], { TRIVIUM_API_KEY });
      expect(code).toBe(1);
      return stderr.trimEnd().split('\n');
    };
    expect(await linesOf('two')).toEqual([
      expect.stringMatching(/^trivium: two: .*permission.* \(with 3 files in it\)$/),
      'trivium: 3 of 3 files failed',
    ]);
    expect(await linesOf('two', 'empty', 'missing')).toEqual([
      'trivium: missing: no such file',
      expect.stringMatching(/^trivium: two: .*\(with 3 files in it\)$/),
      expect.stringMatching(/^trivium: empty: .*\(with 0 files in it\)$/),
      'trivium: 5 of 5 files failed',
    ]);
  }));
