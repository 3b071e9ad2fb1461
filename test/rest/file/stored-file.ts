import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { type File, filesByMediaIds } from '../../../src/domain/file/file.ts';
import { uploadFile } from '../../../src/domain/upload/upload-file.ts';
import { type TestApp, user } from '../../support/app.ts';

/** Stores bytes as a file, and returns its description. */
export async function storeFile(app: TestApp, filename: string, bytes: Buffer): Promise<File> {
  const ctx = { ...app.services, viewer: user(), log: app.app.log };
  const source = (async function* () {
    yield bytes;
  })();
  const { id } = await uploadFile(ctx, { filename, bytes: source });
  return (await filesByMediaIds(ctx, [id])).get(id)![0]!;
}

/** Stores one of the files in `test/support/fixture`. */
export async function storeFixture(app: TestApp, name: string, filename = name): Promise<File> {
  const path = join(import.meta.dirname, '../../support/fixture', name);
  return storeFile(app, filename, await readFile(path));
}

/** Sends a request that `fetch` would not send: with any method, and with the path unchanged. */
export function requestRaw(
  app: TestApp,
  method: string,
  path: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; body: string }> {
  const { hostname, port } = new URL(app.url);
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, method, path, headers }, async (response) => {
      try {
        const body = Buffer.concat(await response.toArray()).toString();
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
      } catch (error) {
        reject(error);
      }
    });
    sent.on('error', reject).end();
  });
}
