import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { describe, expect, test } from 'vitest';
import { HAS_BROWSER, withPage } from '../support/browser.ts';
import { spawnNode, withDataDir, withServerProcess } from '../support/process.ts';

const PICTURE = 'test/support/fixture/picture.png';

/** Runs `npx vite examples/<name>` for a server, and `work` with the URL of the page. */
async function withExample(
  name: string,
  serverUrl: string,
  work: (url: string) => Promise<void>,
): Promise<void> {
  const child = spawnNode(['node_modules/vite/bin/vite.js', `examples/${name}`, '--port', '0'], {
    VITE_TRIVIUM_URL: serverUrl,
    NO_COLOR: '1',
  });
  child.stderr!.pipe(process.stderr);
  try {
    for await (const line of createInterface({ input: child.stdout! })) {
      const url = /Local:\s+(\S+)/.exec(line)?.[1];
      if (url !== undefined) return await work(url);
    }
    throw new Error('The page is not served.');
  } finally {
    child.kill();
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
}

describe.skipIf(!HAS_BROWSER)('the example in Chromium', () => {
  test.each(['fetch', 'apollo-react', 'urql-svelte'])(
    '%s lists images, uploads one, and shows what others upload',
    (name) =>
      withDataDir((TRIVIUM_DATA_DIR) =>
        withServerProcess({ TRIVIUM_DATA_DIR }, (server) =>
          withExample(name, server.url, (url) =>
            withPage(url, async (page) => {
              const problems: string[] = [];
              page.on('pageerror', (error) => void problems.push(error.message));
              page.on(
                'console',
                (line) => void (line.type() === 'error' && problems.push(line.text())),
              );
              await page.getByText('Images (0)').waitFor();
              const file = {
                name: 'mine.png',
                mimeType: 'image/png',
                buffer: await readFile(PICTURE),
              };
              await page.getByLabel('Upload an image').setInputFiles(file);
              await page.getByText('Uploaded mine.png.').waitFor();
              await page.getByText('Images (1)').waitFor();
              await upload(server.url);
              await page.getByText('Images (2)').waitFor();
              await expect.poll(() => page.locator('img').evaluateAll(countDrawn)).toBe(2);
              expect(problems).toEqual([]);
            }),
          ),
        ),
      ),
  );
});

/** Returns the number of images that the page shows. Runs in the page. */
function countDrawn(images: unknown[]): number {
  return images.filter((image) => (image as { naturalWidth: number }).naturalWidth > 0).length;
}

/** Uploads the image as another client. */
async function upload(url: string): Promise<void> {
  const query = `mutation ($file: Upload!) { uploadFile(input: { file: $file }) { __typename } }`;
  const body = new FormData();
  body.append('operations', JSON.stringify({ query, variables: { file: null } }));
  body.append('map', JSON.stringify({ 0: ['variables.file'] }));
  body.append('0', new File([await readFile(PICTURE)], 'other.png'));
  const headers = { 'x-graphql-yoga-csrf': '1' };
  const response = await fetch(`${url}/graphql`, { method: 'POST', headers, body });
  const { data } = (await response.json()) as { data: { uploadFile: { __typename: string } } };
  expect(data.uploadFile.__typename).toBe('UploadFileSuccess');
}
