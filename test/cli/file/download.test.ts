import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { createLocalNames, toLocalName } from '../../../src/cli/file/local-name.ts';
import { fixtureBytes } from '../../support/bytes.ts';
import { type CliSetup, withCli } from '../../support/cli.ts';
import { graphql } from '../../support/graphql.ts';

/** Uploads a file with this content; returns its id and URL. */
async function store(
  { directory, trivium }: CliSetup,
  name: string,
  content: string | Buffer,
  ...flags: string[]
): Promise<{ id: string; url: string }> {
  await mkdir(join(directory, 'source'), { recursive: true });
  await writeFile(join(directory, 'source', name), content);
  const run = await trivium(['upload', join('source', name), '--json', ...flags]);
  expect([run.code, run.stderr]).toEqual([0, '']);
  return JSON.parse(run.stdout);
}

test('a file is downloaded by id, path and URL, and never replaces another one unasked', () =>
  withCli(async (setup) => {
    const { directory, trivium } = setup;
    const { id, url } = await store(setup, 'a.txt', 'hello', '--folder', '/F', '--create-folder');
    const read = (name: string) => readFile(join(directory, name), 'utf8');
    const byId = await trivium(['download', id]);
    expect(byId).toEqual({ code: 0, stdout: 'a.txt\t5\n', stderr: '' });
    expect(await read('a.txt')).toBe('hello');
    const byPath = await trivium(['download', '/F/a.txt', '-o', 'b.txt', '--json']);
    expect(JSON.parse(byPath.stdout)).toMatchObject({ path: 'b.txt', status: 'stored', id, url });
    const byUrl = await trivium(['download', url, '-o', 'new/']);
    expect([byUrl.code, byUrl.stderr, await read('new/a.txt')]).toEqual([0, '', 'hello']);

    const same = await trivium(['download', id, '--json']);
    expect([same.code, JSON.parse(same.stdout).status]).toEqual([0, 'exists']);
    await writeFile(join(directory, 'a.txt'), 'mine!');
    const other = await trivium(['download', id]);
    expect(other).toMatchObject({ code: 1, stdout: '' });
    expect(other.stderr).toBe(
      'trivium: a.txt: exists, and has another content; --force replaces it\n',
    );
    expect(await read('a.txt')).toBe('mine!');
    expect((await trivium(['download', id, '--force'])).code).toBe(0);
    expect(await read('a.txt')).toBe('hello');
    expect((await readdir(directory)).filter((name) => name.endsWith('.part'))).toEqual([]);
  }));

test('a private file is downloaded with the credential, which goes to no other server', () =>
  withCli(async (setup) => {
    const { trivium, app } = setup;
    const { id } = await store(setup, 'a.txt', 'hello');
    const query = `mutation ($id: ID!) {
      updateMedia(input: { id: $id, visibility: PRIVATE }) { ... on UpdateMediaSuccess { media { url } } }
    }`;
    const authorization = `Bearer ${app.adminKey}`;
    const { data } = await graphql(app, query, { id }, { authorization });
    const [unsigned] = data.updateMedia.media.url.split('?');
    expect((await trivium(['download', id, '-o', 'one'])).code).toBe(0);
    expect((await trivium(['download', unsigned, '-o', 'two'])).code).toBe(0);
    const foreign = unsigned.replace('127.0.0.1', 'localhost');
    const refused = await trivium(['download', foreign, '-o', 'three']);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('answered 404') });
  }));

test('a folder is downloaded with what is below it; names that are no names of files are changed', () =>
  withCli(async (setup) => {
    const { app, directory, trivium } = setup;
    await store(setup, 'one.txt', '1', '--folder', '/F', '--create-folder');
    await store(setup, 'two.txt', '2', '--folder', '/F/sub/empty', '--create-folder');
    await store(setup, 'three.txt', '3', '--folder', '/F/sub');
    const { db } = app.services;
    const rename = (from: string, name: string) =>
      db.updateTable('media').set({ name }).where('name', '=', from).execute();
    await rename('two.txt', '../../../escaped');
    await rename('empty', '..');
    await rename('three.txt', 'CON/ne:w\u001b[31m');
    const twin = await store(setup, 'ONE.TXT', '4', '--folder', '/F');
    const number = Number(
      (await db.selectFrom('media').select('id').where('name', '=', 'ONE.TXT').execute())[0]?.id,
    );
    const run = await trivium(['download', '/F', '-o', 'out', '--json']);
    expect([run.code, run.stderr]).toEqual([0, '']);
    expect(twin.id).toEqual(expect.any(String));
    expect(await readdir(join(directory, 'out'))).toEqual(['F']);
    const found = await readdir(join(directory, 'out/F'), { recursive: true });
    expect(found.sort()).toEqual(
      [
        'one.txt',
        `ONE (${number}).TXT`,
        'sub',
        'sub/CON_ne_w_[31m',
        'sub/_',
        'sub/_/._.._.._escaped',
      ].sort(),
    );
    expect(await readdir(join(directory, '..'))).not.toContain('escaped');
    const again = await trivium(['download', '/F', '-o', 'out/../out2/', '--json']);
    expect(again.code).toBe(0);
  }));

test('several files and folders go into a directory, which is created', () =>
  withCli(async (setup) => {
    const { trivium } = setup;
    await store(setup, 'a.txt', 'hello', '--folder', '/F', '--create-folder');
    await store(setup, 'b.txt', 'hello', '--folder', '/G', '--create-folder');
    for (const [names, output, paths] of [
      [['/F', '/G'], 'one', ['one/F/a.txt', 'one/G/b.txt']],
      [['/F/a.txt', '/G/b.txt'], 'two/three', ['two/three/a.txt', 'two/three/b.txt']],
      [['/F/a.txt', '/F/a.txt'], 'file', ['file']],
    ] as const) {
      for (const status of ['stored', 'exists']) {
        const run = await trivium(['download', ...names, '-o', output, '--json']);
        expect([run.code, run.stderr]).toEqual([0, '']);
        const lines = run.stdout.trimEnd().split('\n');
        expect(lines.map((line) => JSON.parse(line))).toMatchObject(
          paths.map((path) => ({ path, status })),
        );
      }
    }
  }));

test('the same command has the same targets, whether its output exists or not', () =>
  withCli(async (setup) => {
    const { directory, trivium } = setup;
    await store(setup, 'a.txt', 'hello', '--folder', '/F', '--create-folder');
    const commands = [
      ['download', '/F', '-o', 'one', '--json'],
      ['download', '/F', '-o', 'two/', '--json'],
      ['download', '/F', '--json'],
      ['download', '/F/a.txt', '-o', 'three', '--json'],
      ['download', '/F/a.txt', '-o', 'four/', '--json'],
    ];
    const runAll = async () => {
      const results: object[] = [];
      for (const command of commands) {
        const { code, stdout, stderr } = await trivium(command);
        expect([code, stderr]).toEqual([0, '']);
        results.push(
          ...stdout
            .trimEnd()
            .split('\n')
            .map((line) => JSON.parse(line)),
        );
      }
      return results;
    };
    const paths = ['one/F/a.txt', 'two/F/a.txt', 'F/a.txt', 'three', 'four/a.txt'];
    expect(await runAll()).toMatchObject(paths.map((path) => ({ path, status: 'stored' })));
    expect(await runAll()).toMatchObject(paths.map((path) => ({ path, status: 'exists' })));
    const refused = await trivium(['download', '/F', '-o', 'three']);
    expect(refused).toMatchObject({
      code: 1,
      stderr: 'trivium: three: is no directory, and a folder needs one\n',
    });
    for (const output of ['-', '']) {
      const run = await trivium(['download', '/F/a.txt', '-o', output]);
      expect([run.code, run.stderr]).toEqual([2, expect.stringContaining('--output')]);
    }
    expect(await readdir(directory)).not.toContain('-');
  }));

test('an interrupted download of a folder into a new directory continues when it is run again', () =>
  withCli(async (setup) => {
    const { directory, trivium } = setup;
    const size = 100_000_000;
    await store(setup, 'large.bin', randomBytes(size), '--folder', '/F', '--create-folder');
    const partOf = async () => {
      const names = await readdir(directory, { recursive: true });
      return names.find((name) => name.endsWith('.part'));
    };
    const partSize = async () => {
      const part = await partOf();
      return part === undefined ? 0 : (await stat(join(directory, part))).size;
    };
    const command = ['download', '/F', '-o', 'copy'];
    const first = await trivium(command, {}, async (child) => {
      await vi.waitUntil(async () => (await partSize()) > 0, { interval: 2, timeout: 60_000 });
      child.kill('SIGINT');
    });
    expect(first.code).toBe(130);
    const part = join(directory, (await partOf())!);
    // A second part, or a first byte that is sent again, would be right.
    const kept = await readFile(part);
    await writeFile(part, kept.fill(kept[0]! ^ 1, 0, 1));
    const second = await trivium(command);
    expect(second.stderr).toContain('do not have the MD5');
    expect((await trivium(command)).code).toBe(0);
    expect(await readdir(join(directory, 'copy'), { recursive: true })).toEqual([
      'F',
      'F/large.bin',
    ]);
  }));

test('files get the access that the user has chosen, as those of other programs', () =>
  withCli(async (setup) => {
    const { directory, trivium } = setup;
    await store(setup, 'a.txt', 'hello', '--folder', '/F', '--create-folder');
    const before = process.umask(0o027);
    try {
      expect((await trivium(['download', '/F', '-o', 'out'])).code).toBe(0);
    } finally {
      process.umask(before);
    }
    const modeOf = async (path: string) => (await stat(join(directory, path))).mode & 0o777;
    expect(await modeOf('out/F/a.txt')).toBe(0o640);
    expect(await modeOf('out/F')).toBe(0o750);
  }));

test('an interrupted download continues after what it has, and checks the whole', () =>
  withCli(async (setup) => {
    const { directory, trivium } = setup;
    const bytes = randomBytes(100_000_000);
    const { id } = await store(setup, 'large.bin', bytes);
    const partOf = async () => (await readdir(directory)).find((name) => name.endsWith('.part'));
    const partSize = async () => {
      const part = await partOf();
      return part === undefined ? 0 : (await readFile(join(directory, part))).length;
    };
    await trivium(['download', id], {}, async (child) => {
      await vi.waitUntil(async () => (await partSize()) > 0, { interval: 2, timeout: 60_000 });
      child.kill('SIGKILL');
    });
    expect(await readdir(directory)).not.toContain('large.bin');
    const part = join(directory, (await partOf())!);
    // Its own bytes cannot come from a second, whole transfer.
    const kept = await readFile(part);
    await writeFile(part, kept.fill(0, 0, 1));
    const wrong = await trivium(['download', id]);
    expect(wrong).toMatchObject({ code: 1, stdout: '' });
    expect(wrong.stderr).toContain('do not have the MD5');
    expect(await partOf()).toBeUndefined();

    await writeFile(part, bytes.subarray(0, 99_999_000));
    const right = await trivium(['download', id]);
    expect(right).toEqual({ code: 0, stdout: 'large.bin\t100000000\n', stderr: '' });
    const digest = (data: Buffer) => createHash('md5').update(data).digest('hex');
    expect(digest(await readFile(join(directory, 'large.bin')))).toBe(digest(bytes));
  }));

test('what the server sends without its location is downloaded, and the same the next time', () =>
  withCli(
    async (setup) => {
      const { directory, trivium } = setup;
      const photo = Buffer.from(fixtureBytes('photo-with-details.jpg'));
      const { id, url } = await store(setup, 'photo.jpg', photo);
      const stranger = { TRIVIUM_API_KEY: '' };
      const read = (name: string) => readFile(join(directory, name));
      const own = await trivium(['download', id, '-o', 'own.jpg']);
      expect([own.code, own.stderr, await read('own.jpg')]).toEqual([0, '', photo]);
      for (const [name, what] of [
        ['a.jpg', id],
        ['b.jpg', url],
      ] as const) {
        const first = await trivium(['download', what, '-o', name, '--json'], stranger);
        expect([first.code, first.stderr]).toEqual([0, expect.stringContaining('its location')]);
        const bytes = await read(name);
        expect([bytes.length, bytes.equals(photo)]).toEqual([photo.length, false]);
        const md5 = createHash('md5').update(bytes).digest('hex');
        expect(JSON.parse(first.stdout)).toMatchObject({ status: 'stored', md5 });
        const again = await trivium(['download', what, '-o', name, '--json'], stranger);
        expect([again.code, JSON.parse(again.stdout).status]).toEqual([0, 'exists']);
      }
      const mine = Buffer.alloc(photo.length);
      await writeFile(join(directory, 'a.jpg'), mine);
      const refused = await trivium(['download', id, '-o', 'a.jpg'], stranger);
      expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('--force') });
      expect(await read('a.jpg')).toEqual(mine);
      expect((await readdir(directory)).filter((name) => name.endsWith('.part'))).toEqual([]);
    },
    { TRIVIUM_STRIP_LOCATION: 'public' },
  ));

test('bytes of an earlier run with the location are not continued without it', () =>
  withCli(
    async (setup) => {
      const { directory, trivium } = setup;
      const photo = Buffer.from(fixtureBytes('photo-with-details.jpg'));
      const { id } = await store(setup, 'photo.jpg', photo);
      const md5 = createHash('md5').update(photo).digest('hex');
      const key = createHash('sha256').update(`photo.jpg\n${md5}`).digest('hex').slice(0, 32);
      await writeFile(
        join(directory, `.trivium-${key}.part`),
        photo.subarray(0, photo.length - 10),
      );
      const run = await trivium(['download', id], { TRIVIUM_API_KEY: '' });
      expect(run.code).toBe(0);
      await trivium(['download', id, '-o', 'other.jpg'], { TRIVIUM_API_KEY: '' });
      const read = (name: string) => readFile(join(directory, name));
      expect(await read('photo.jpg')).toEqual(await read('other.jpg'));
    },
    { TRIVIUM_STRIP_LOCATION: 'public' },
  ));

test('what is missing fails, and the others are downloaded', () =>
  withCli(async (setup) => {
    const { trivium } = setup;
    const { id } = await store(setup, 'a.txt', 'hello');
    const run = await trivium(['download', '/none', id, 'not an id', '999999']);
    expect([run.code, run.stdout]).toEqual([1, 'a.txt\t5\n']);
    expect(run.stderr.trimEnd().split('\n')).toEqual([
      'trivium: /none: there is no such item, or you may not see it',
      'trivium: not an id: expected an id, or a path that begins with /',
      'trivium: 999999: there is no such item, or you may not see it',
      'trivium: 3 of 4 files failed',
    ]);
    const usage = await trivium(['download', id, '/none', '-o', 'a.txt']);
    expect(usage).toMatchObject({ code: 2, stderr: expect.stringContaining('a.txt is none') });
  }));

test.each([
  ['..', '_'],
  ['a/../b', 'a_.._b'],
  ['', '_'],
  ['nul.txt', '_nul.txt'],
  ['COM1', '_COM1'],
  ['e\u0301\u0000', '\u00e9_'],
  [`${'ü'.repeat(200)}.jpeg`, `${'ü'.repeat(125)}.jpeg`],
  ['.gitignore', '.gitignore'],
])('the local name of %j is %j', (name, local) => {
  expect(toLocalName(name)).toBe(local);
});

test('names that are taken get the number of their media item', () => {
  const names = createLocalNames();
  const chosen = ['a.b.jpg', 'A.B.jpg', 'a.b.jpg'].map((name, at) => names.choose(name, at));
  expect(chosen).toEqual(['a.b.jpg', 'A.B (1).jpg', 'a.b (2).jpg']);
});
