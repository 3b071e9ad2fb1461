import { cp, mkdir, readdir, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { reasonOf, toDatabaseError } from '../../src/start/start-error.ts';
import { runProcess } from '../support/cli.ts';
import { runInProcess } from '../support/command.ts';
import { spawnNode, withDataDir } from '../support/process.ts';

type Variables = Record<string, string>;

/** Settings below an empty directory, and what the start says about them. */
const CASES: [what: string, (directory: string) => Variables, message: RegExp][] = [
  [
    'a data directory that is a file',
    (directory) => ({ TRIVIUM_DATA_DIR: join(directory, 'file') }),
    /The data directory \S+\/file cannot be used \(TRIVIUM_DATA_DIR\): it is a file \(EEXIST\)/,
  ],
  [
    'a data directory below a file',
    (directory) => ({ TRIVIUM_DATA_DIR: join(directory, 'file/below') }),
    /The data directory \S+\/file\/below cannot be used \(TRIVIUM_DATA_DIR\): a part of the path is a file \(ENOTDIR\)/,
  ],
  [
    'a data directory where nothing can be created',
    () => ({ TRIVIUM_DATA_DIR: '/proc/none/below' }),
    /The data directory \/proc\/none\/below cannot be used \(TRIVIUM_DATA_DIR\): it cannot be created there \(ENOENT\)/,
  ],
  [
    'a storage that is a file',
    (directory) => ({ TRIVIUM_STORAGE_URL: `file:${join(directory, 'file')}` }),
    /The directory of the files \S+\/file cannot be used \(TRIVIUM_STORAGE_URL\): it is a file/,
  ],
  [
    'a database in a directory that does not exist',
    (directory) => ({ TRIVIUM_DATABASE_URL: `sqlite:${join(directory, 'none/x.db')}` }),
    /The database \S+\/none\/x\.db cannot be opened \(TRIVIUM_DATABASE_URL\): its directory does not exist/,
  ],
  [
    'a database that is a directory',
    (directory) => ({ TRIVIUM_DATABASE_URL: `sqlite:${directory}` }),
    /The database \S+ cannot be opened \(TRIVIUM_DATABASE_URL\): it is a directory/,
  ],
  [
    'a database that is another file',
    (directory) => ({ TRIVIUM_DATABASE_URL: `sqlite:${join(directory, 'file')}` }),
    /\S+\/file is not a SQLite database \(TRIVIUM_DATABASE_URL\)/,
  ],
  [
    'a PostgreSQL that is not there',
    () => ({ TRIVIUM_DATABASE_URL: 'postgres://jane:secret@127.0.0.1:4/x' }),
    /The database cannot be reached: postgres:\/\/jane@127\.0\.0\.1:4\/x \(TRIVIUM_DATABASE_URL\): connection refused; is PostgreSQL running there\? \(.*ECONNREFUSED/,
  ],
  [
    'a PostgreSQL on an unknown host',
    () => ({ TRIVIUM_DATABASE_URL: 'postgres://jane:secret@none.invalid/x' }),
    /none\.invalid\/x \(TRIVIUM_DATABASE_URL\): the host name (is unknown|cannot be resolved)/,
  ],
  [
    'a users’ file that is a directory',
    (directory) => ({ TRIVIUM_USERS_FILE: directory }),
    /The users' file \S+ cannot be used \(TRIVIUM_USERS_FILE\): EISDIR/,
  ],
  [
    'an address of another machine',
    () => ({ TRIVIUM_HOST: '203.0.113.1' }),
    /Cannot listen at 203\.0\.113\.1:0 \(EADDRNOTAVAIL\): .*TRIVIUM_HOST/,
  ],
  [
    'an unknown host name',
    () => ({ TRIVIUM_HOST: 'none.invalid' }),
    /Cannot listen at none\.invalid:0 \((ENOTFOUND|EAI_AGAIN)\): .*TRIVIUM_HOST/,
  ],
];

it.each(CASES)('%s is named with its setting, in one line', (_what, variables, message) =>
  withDataDir(async (directory) => {
    await writeFile(join(directory, 'file'), 'This is a text, and no database. '.repeat(40));
    const run = await runInProcess(['serve'], {
      TRIVIUM_PORT: '0',
      TRIVIUM_LOG_LEVEL: 'silent',
      TRIVIUM_DATA_DIR: join(directory, 'data'),
      ...variables(directory),
    });
    expect(run).toMatchObject({ code: 1, output: '' });
    expect(run.errors).toMatch(/^trivium: .*\n$/);
    expect(run.errors).toMatch(message);
    expect(run.errors).not.toContain('secret');
  }),
);

it('a first start at a port in use leaves nothing behind, and names TRIVIUM_PORT', () =>
  withDataDir(async (directory) => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const TRIVIUM_PORT = String((other.address() as AddressInfo).port);
    const TRIVIUM_DATA_DIR = join(directory, 'data');
    const run = await runInProcess(['serve'], { TRIVIUM_PORT, TRIVIUM_DATA_DIR });
    other.close();
    expect(run.code).toBe(1);
    expect(run.errors).toMatch(
      /^trivium: Cannot listen at 127\.0\.0\.1:\d+ \(EADDRINUSE\): .*TRIVIUM_PORT.*\n$/,
    );
    expect(await readdir(directory)).toEqual([]);
  }));

it.each([
  [
    'admin.key',
    /The key file \S+\/admin\.key cannot be used \(TRIVIUM_DATA_DIR\): it is a directory \(EISDIR\)/,
  ],
  ['url.key', /The key file \S+\/url\.key cannot be used \(TRIVIUM_DATA_DIR\): it is a directory/],
  [
    'token.key',
    /The key file \S+\/token\.key cannot be used \(TRIVIUM_DATA_DIR\): it is a directory/,
  ],
  [
    'trivium.db.lock',
    /The database \S+\/trivium\.db cannot be opened \(TRIVIUM_DATA_DIR\): its file \S+\/trivium\.db\.lock: it is a directory/,
  ],
  ['trivium.db-wal', /its file \S+\/trivium\.db-wal: it is a directory/],
])('the file %s in the data directory is named, if it cannot be read', (name, message) =>
  withDataDir(async (TRIVIUM_DATA_DIR) => {
    await mkdir(join(TRIVIUM_DATA_DIR, name));
    const run = await runInProcess(['serve'], {
      ...{ TRIVIUM_PORT: '0', TRIVIUM_LOG_LEVEL: 'silent', TRIVIUM_DATA_DIR },
    });
    expect(run).toMatchObject({ code: 1, output: '' });
    expect(run.errors).toMatch(/^trivium: .*\n$/);
    expect(run.errors).toMatch(message);
  }),
);

it('a program without its packages says how to install them', () =>
  withDataDir(async (directory) => {
    await cp('src', join(directory, 'src'), { recursive: true });
    await cp('package.json', join(directory, 'package.json'));
    const run = await runProcess(spawnNode([join(directory, 'src/main.js'), 'serve'], {}));
    expect(run).toEqual({
      code: 1,
      stdout: '',
      stderr: `trivium: the package commander is missing: run \`npm ci\` in ${directory}/\n`,
    });
  }));

it('commands name the setting, too', () =>
  withDataDir(async (directory) => {
    await mkdir(join(directory, 'trivium.db'));
    const run = await runInProcess(['key', 'list'], { TRIVIUM_DATA_DIR: directory });
    expect(run.errors).toMatch(
      /trivium\.db cannot be opened \(TRIVIUM_DATA_DIR\): it is a directory/,
    );
  }));

it.each([
  [{ code: 'EACCES' }, 'permission denied (EACCES)'],
  [{ code: 'EROFS' }, 'the file system is read-only (EROFS)'],
  [{ code: 'ENOSPC' }, 'no space is left on the device (ENOSPC)'],
])('the reason %o is in words', (fields, words) => {
  expect(reasonOf(Object.assign(new Error('x'), fields))).toBe(words);
});

it.each([
  ['28P01', 'the user or the password is wrong'],
  ['3D000', 'there is no such database; `createdb` creates one'],
])('the error %s of PostgreSQL says what to do', (code, hint) => {
  const config = { databaseUrl: 'postgres://jane:secret@db/x', dataDir: '/data' };
  const error = toDatabaseError(Object.assign(new Error('refused'), { code }), config);
  expect(String(error)).toBe(
    `StartError: The database cannot be reached: postgres://jane@db/x (TRIVIUM_DATABASE_URL): ${hint} (refused)`,
  );
});
