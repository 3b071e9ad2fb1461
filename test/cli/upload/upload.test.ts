import type { ChildProcess } from 'node:child_process';
import { mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { createUploadClient } from '../../../src/client/upload/upload-client.ts';
import { UploadError } from '../../../src/client/upload/upload-error.ts';
import type { TestApp } from '../../support/app.ts';
import { type Run, runProcess, withCli } from '../../support/cli.ts';
import { graphql } from '../../support/graphql.ts';
import { makeFolder } from '../../support/make.ts';
import { spawnNode } from '../../support/process.ts';

const FIXTURES = join(import.meta.dirname, '../../support/fixture');
const PICTURE = join(FIXTURES, 'picture.png');
const NOTE = join(FIXTURES, 'note.txt');
const MAIN = join(import.meta.dirname, '../../../src/main.js');
const IS_ROOT = process.getuid?.() === 0;

/** Runs `trivium upload` in a child process, with a state of its own. */
async function upload(
  args: readonly string[],
  env: Record<string, string>,
  whileItRuns?: (child: ChildProcess) => Promise<void>,
): Promise<Run> {
  const XDG_STATE_HOME = await mkdtemp(join(tmpdir(), 'trivium-state-'));
  const run = runProcess(
    spawnNode([MAIN, 'upload', ...args], { XDG_STATE_HOME, ...env }),
    whileItRuns,
  );
  return run.finally(() => rm(XDG_STATE_HOME, { recursive: true }));
}

/** Runs `work` with a server on an empty database and a directory for the files to upload. */
function withServer(
  work: (app: TestApp, directory: string) => Promise<void>,
  variables?: Record<string, string>,
): Promise<void> {
  return withCli(({ app, directory }) => work(app, directory), variables);
}

async function titles(app: TestApp): Promise<string[]> {
  const { data } = await graphql(app, '{ medias { nodes { title } } }');
  return data.medias.nodes.map(({ title }: { title: string }) => title).sort();
}

/** Returns the open upload sessions, and the blobs that belong to no file. */
async function leftOver(app: TestApp): Promise<unknown[]> {
  const open = app.services.db.selectFrom('upload').selectAll().where('status', '=', 'open');
  const entries = await readdir(join(app.dataDir, 'blobs'), {
    recursive: true,
    withFileTypes: true,
  });
  const files = await app.services.db.selectFrom('file').selectAll().execute();
  const blobs = entries.filter((entry) => entry.isFile()).length - files.length;
  return [...(await open.execute()), ...Array(blobs).fill('blob')];
}

describe('trivium upload', () => {
  test('stores files and prints the id, URL and path of each', () =>
    withServer(async (app) => {
      const run = await upload([PICTURE, NOTE], { TRIVIUM_URL: app.url });
      expect(run).toMatchObject({ code: 0, stderr: '' });
      const lines = run.stdout.trimEnd().split('\n');
      const fields = lines.map((line) => line.split('\t'));
      expect(fields.map(([, , path]) => path)).toEqual([PICTURE, NOTE]);
      for (const [id, url, path] of fields) {
        expect(url).toContain(`${app.url}/media/`);
        const query = 'query ($id: ID!) { media(by: { id: $id }) { title owner } }';
        const { data } = await graphql(app, query, { id });
        expect(data.media).toEqual({ title: basename(path!), owner: null });
      }
    }));

  test('sets folder, tags, title and type, and prints JSON', () =>
    withServer(async (app) => {
      const id = await makeFolder(app.services.db, { name: 'Design' });
      const place = { parent_id: id, level: 2, path: `/1/${id}/` };
      await makeFolder(app.services.db, { name: 'Logos', ...place });
      const flags = ['--folder', '/Design/Logos', '--title', 'A title', '--type', 'editor-image'];
      const tags = ['--tag', 'logo', '--tag', ' 2026', '--tag', 'logo'];
      const target = ['--url', `${app.url}/`, '--json'];
      const run = await upload([PICTURE, ...flags, ...tags, ...target], {});
      expect(run).toMatchObject({ code: 0, stderr: '' });
      const media = JSON.parse(run.stdout);
      expect(media).toMatchObject({
        path: PICTURE,
        type: 'EDITOR_IMAGE',
        title: 'A title',
        file: { mimeType: 'image/png', filename: 'picture.png' },
      });
      const query = `query ($id: ID!) {
        media(by: { id: $id }) { folder { name parent { name } } tags { name } }
        tags { totalCount }
      }`;
      const { data } = await graphql(app, query, { id: media.id });
      expect(data).toEqual({
        media: {
          folder: { name: 'Logos', parent: { name: 'Design' } },
          tags: [{ name: '2026' }, { name: 'logo' }],
        },
        tags: { totalCount: 2 },
      });
    }));

  test('reports why a file cannot be uploaded, and uploads the others', () =>
    withServer(async (app, directory) => {
      const empty = join(directory, 'empty.txt');
      const page = join(directory, 'page.png');
      await writeFile(empty, '');
      await writeFile(page, '<!doctype html><p>A page.');
      const paths = [join(directory, 'nowhere.txt'), directory, empty, page, '/dev/null', NOTE];
      const run = await upload(paths, { TRIVIUM_URL: app.url });
      expect(run.code).toBe(1);
      expect(run.stderr.trimEnd().split('\n')).toEqual([
        `trivium: ${directory}/nowhere.txt: no such file`,
        `trivium: ${directory}: is a directory; add --recursive to upload what is in it`,
        `trivium: ${empty}: is empty`,
        'trivium: /dev/null: is not a regular file',
        expect.stringMatching(`trivium: ${page}: .*text/html`),
        'trivium: 5 of 6 files failed',
      ]);
      expect(run.stdout).toContain(NOTE);
      expect(await titles(app)).toEqual(['note.txt']);
      expect(await leftOver(app)).toEqual([]);
    }));

  test.skipIf(IS_ROOT)(
    'reports a file without read permission (skipped for root, who may read any)',
    () =>
      withServer(async (app, directory) => {
        const path = join(directory, 'secret.txt');
        await writeFile(path, 'x', { mode: 0 });
        const run = await upload([path], { TRIVIUM_URL: app.url });
        expect(run).toMatchObject({ code: 1, stderr: `trivium: ${path}: permission denied\n` });
      }),
  );

  test('names a missing folder and the mutation that creates it, and uploads nothing', () =>
    withServer(async (app) => {
      await makeFolder(app.services.db, { name: 'Design' });
      const args = [NOTE, '--folder', '/Design/Logos/2026', '--tag', 'x'];
      const run = await upload(args, { TRIVIUM_URL: app.url });
      expect(run).toMatchObject({ code: 1, stdout: '' });
      expect(run.stderr).toContain('Folder /Design/Logos does not exist, or you may not see it.');
      // The printed mutation works.
      const mutation = run.stderr.slice(run.stderr.indexOf('mutation'));
      const authorization = `Bearer ${app.adminKey}`;
      const { data } = await graphql(app, mutation, {}, { authorization });
      expect(data.createFolder.__typename).toBe('CreateFolderSuccess');
      const next = await upload(args, { TRIVIUM_URL: app.url });
      expect(next.stderr).toContain(
        'Folder /Design/Logos/2026 does not exist, or you may not see it.',
      );
      const answer = await graphql(app, '{ medias { totalCount } tags { totalCount } }');
      expect(answer.data).toEqual({ medias: { totalCount: 0 }, tags: { totalCount: 0 } });
    }));

  test('reports an unreachable server', async () => {
    const run = await upload([NOTE], { TRIVIUM_URL: 'http://127.0.0.1:4' });
    expect(run).toEqual({
      code: 1,
      stdout: '',
      stderr: 'trivium: cannot reach http://127.0.0.1:4: is the server running? (ECONNREFUSED)\n',
    });
  });

  test('reads the key from the flag or the environment, and reports a missing key', () =>
    withServer(
      async (app) => {
        const env = { TRIVIUM_URL: app.url };
        const without = await upload([NOTE], env);
        expect(without).toMatchObject({ code: 1, stdout: '' });
        expect(without.stderr).toMatch(/not provided.*--key.*TRIVIUM_API_KEY/);
        const wrong = await upload([NOTE], { ...env, TRIVIUM_API_KEY: 'wrong' });
        expect(wrong.stderr).toMatch(/not valid/);
        const byFlag = ['--key', app.adminKey];
        const right = await upload([NOTE, ...byFlag], { ...env, TRIVIUM_API_KEY: 'wrong' });
        expect(right).toMatchObject({ code: 0, stderr: '' });
        const byVariable = await upload([NOTE], { ...env, TRIVIUM_API_KEY: app.adminKey });
        expect(byVariable).toMatchObject({ code: 0, stderr: '' });
      },
      { TRIVIUM_AUTH: 'required' },
    ));

  test.each<[string[], string, number?]>([
    [[NOTE, PICTURE, '--title', 'x'], '--title and --resume need exactly one file.'],
    [
      [NOTE, '--folder', '/'],
      '--folder: expected a path such as /Design/Logos. Without the flag, files stay unfiled.',
    ],
    [[NOTE, '--url', 'ftp://127.0.0.1'], '--url: expected an http or https URL'],
    [[NOTE, '--key', 'kéy'], 'The credential holds characters that none can have.', 1],
    [[NOTE, '--tag', 'ok', '--tag', '  '], '--tag "": name: May not be blank.', 1],
    [[NOTE, '--type', 'picture'], 'Allowed choices are image, editor-image'],
    [[], "missing required argument 'file'"],
  ])('rejects the arguments %j', (args, message, code = 2) =>
    withServer(async (app) => {
      const run = await upload(args, { TRIVIUM_URL: app.url });
      expect(run).toMatchObject({ code, stdout: '' });
      expect(run.stderr).toContain(message);
      expect(run.stderr).not.toMatch(/^\s+at /m);
    }),
  );

  test('with --no-resume, an interrupted upload is deleted on the server', () =>
    withServer(async (app, directory) => {
      const path = join(directory, 'large.bin');
      await writeFile(path, 'x');
      await truncate(path, 400_000_000);
      const args = [path, NOTE, '--no-resume'];
      const run = await upload(args, { TRIVIUM_URL: app.url }, async (child) => {
        const sessions = app.services.db.selectFrom('upload').select('offset_bytes');
        const hasBegun = async () => ((await sessions.execute())[0]?.offset_bytes ?? 0) > 1_000_000;
        await vi.waitUntil(hasBegun, { interval: 10, timeout: 60_000 });
        child.kill('SIGINT');
      });
      expect(run).toEqual({ code: 130, stdout: '', stderr: 'trivium: interrupted\n' });
      expect(await leftOver(app)).toEqual([]);
      expect(await titles(app)).toEqual([]);
    }));

  test('--resume completes an interrupted upload', () =>
    withServer(async (app, directory) => {
      const path = join(directory, 'large.bin');
      await writeFile(path, Buffer.alloc(3000, 'x'));
      let requests = 0;
      const broken = createUploadClient({
        url: app.url,
        chunkBytes: 1000,
        retriesMax: 0,
        fetch: (url, init) => (++requests > 2 ? Promise.reject(new Error()) : fetch(url, init)),
      });
      const file = new File([Buffer.alloc(3000, 'x')], 'large.bin');
      const error = await broken.upload(file).catch((error: unknown) => error);
      const uploadId = error instanceof UploadError ? error.uploadId : null;
      const run = await upload([path, '--resume', uploadId ?? ''], { TRIVIUM_URL: app.url });
      expect(run).toMatchObject({ code: 0, stderr: '' });
      expect(await leftOver(app)).toEqual([]);
    }));
});
