import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { withApp } from '../support/app.ts';
import { BACKENDS } from '../support/backend.ts';
import { HAS_BROWSER, withPage } from '../support/browser.ts';
import { withDataDir } from '../support/process.ts';
import { withSite } from '../support/site.ts';

const run = promisify(execFile);

// The package does not depend on the database.
const [backend] = BACKENDS;

const BYTES = randomBytes(600_000);
const MD5 = createHash('md5').update(BYTES).digest('hex');

/** Builds the package, installs its tarball in an empty directory, as an app does, and runs `work` there. */
async function withInstalled(work: (directory: string) => Promise<void>): Promise<void> {
  await withDataDir(async (directory) => {
    await run('npm', ['run', 'build']);
    const { stdout } = await run('npm', [
      'pack',
      './dist/client',
      '--json',
      '--pack-destination',
      directory,
    ]);
    const tarball = /"filename":\s*"([^"]+)"/.exec(stdout)?.[1] ?? '';
    await writeFile(join(directory, 'package.json'), '{"type":"module"}');
    // It depends on no other package, so that no registry is asked.
    await run('npm', ['install', '--offline', `./${tarball}`], { cwd: directory });
    await work(directory);
  });
}

/** A program of an app: uploads a file in chunks, and asks for it. */
const PROGRAM = `
  const client = createClient({ url, chunkBytes: 200_000 });
  const sent = [];
  const onProgress = ({ sentBytes }) => void sent.push(sentBytes);
  const { id } = await client.upload(blob, { filename: 'noise.bin', onProgress });
  const { media } = await client.request(MediaDocument, { id });
  const failure = await client.request('{ nothing }').catch((error) => error.code);
  const image = imageUrl('/media/oiodd2qz/a.jpg', { width: 639 });
  const result = { name: media.name, md5: media.file.md5, sent: sent.at(-1), failure, image };
`;

const IMPORTS = (from: (path: string) => string) => `
  import { createClient } from '${from('')}';
  import { imageUrl } from '${from('/image')}';
  import { MediaDocument } from '${from('/library')}';
`;

const RESULT = {
  name: 'noise.bin',
  md5: MD5,
  sent: BYTES.length,
  failure: 'GRAPHQL_VALIDATION_FAILED',
  image: '/media/oiodd2qz/a.jpg?width=640&upscale=never&format=webp',
};

describe('the package @trivium/client, installed from its tarball', () => {
  test('uploads and queries in Node, has types, and is small', () =>
    withInstalled((directory) =>
      withApp(backend!, async ({ url }) => {
        await writeFile(join(directory, 'noise.bin'), BYTES);
        const program = `${IMPORTS((path) => `@trivium/client${path}`)}
          import { openAsBlob } from 'node:fs';
          const [, , url] = process.argv;
          const blob = await openAsBlob('noise.bin');
          ${PROGRAM}
          console.log(JSON.stringify(result));`;
        await writeFile(join(directory, 'app.js'), program);
        const { stdout } = await run(process.execPath, ['app.js', url], { cwd: directory });
        expect(JSON.parse(stdout)).toEqual(RESULT);
        await checkTypes(directory);
        const built = await readFile(join(directory, 'node_modules/@trivium/client/client.js'));
        expect(gzipSync(built).length).toBeLessThan(12 * 1024);
      }),
    ));

  test.skipIf(!HAS_BROWSER)('uploads and queries in Chromium, without a bundler', () =>
    withInstalled((directory) =>
      withApp(backend!, ({ url }) =>
        withFiles(directory, (pageUrl) =>
          withPage(pageUrl, async (page) => {
            const from = (path: string) =>
              `/node_modules/@trivium/client${path === '' ? '/client' : path}.js`;
            const content = `${IMPORTS(from)}
              const url = '${url}';
              const bytes = await (await fetch('/noise.bin')).arrayBuffer();
              const blob = new Blob([bytes]);
              ${PROGRAM}
              document.title = JSON.stringify(result);`;
            await writeFile(join(directory, 'noise.bin'), BYTES);
            await page.addScriptTag({ type: 'module', content });
            await expect.poll(() => page.title()).toMatch(/^\{/);
            expect(JSON.parse(await page.title())).toEqual(RESULT);
          }),
        ),
      ),
    ),
  );
});

/** Compiles an app that uses the types, and one that uses them wrongly. */
async function checkTypes(directory: string): Promise<void> {
  const source = (field: string) => `${IMPORTS((path) => `@trivium/client${path}`)}
    const client = createClient({ url: 'http://127.0.0.1:4000' });
    const { media } = await client.request(MediaDocument, { id: 'x' });
    export const name: string | undefined = media?.${field};`;
  await writeFile(join(directory, 'right.ts'), source('name'));
  await writeFile(join(directory, 'wrong.ts'), source('nmae'));
  const options = ['--strict', '--noEmit', '--module', 'nodenext', '--target', 'es2022'];
  const compile = (file: string) =>
    run(process.execPath, [resolve('node_modules/typescript/bin/tsc'), ...options, file], {
      cwd: directory,
    }).then(
      () => 'compiled',
      (error: { stdout: string }) => error.stdout,
    );
  expect(await compile('right.ts')).toBe('compiled');
  expect(await compile('wrong.ts')).toContain("'nmae' does not exist");
}

/** Serves the files of a directory, and an empty page for every other path. */
function withFiles<T>(directory: string, work: (url: string) => Promise<T>): Promise<T> {
  return withSite(
    ({ url = '' }, response) => {
      response.setHeader('content-type', url.endsWith('.js') ? 'text/javascript' : 'text/html');
      readFile(join(directory, url)).then(
        (bytes) => response.end(bytes),
        () => response.end('<!doctype html><title>App</title>'),
      );
    },
    ({ url }) => work(url),
  );
}
