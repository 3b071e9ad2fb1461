import { truncate } from 'node:fs/promises';
import { expect, test } from 'vitest';
import type { File } from '../../../src/domain/file/file.ts';
import { type TestApp, withApp } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { graphql } from '../../support/graphql.ts';
import { asAdmin, bearer, type Credential } from '../../support/private-media.ts';
import { WITH_USERS } from '../../support/request.ts';
import { storeFile, storeFixture } from './stored-file.ts';

const MESSAGE = 'The stored bytes of this file are damaged.';
const ERROR = { error: { code: 'FILE_DAMAGED', message: MESSAGE } };

describeEachBackend('a damaged file', (backend) => {
  test('is not sent, neither whole nor as a range, a rendition or an answer to HEAD', () =>
    withApp(backend, async (app) => {
      const file = await storeFixture(app, 'picture.png');
      const rendition = `${file.urlPath}?width=10&format=webp`;
      expect((await app.fetch(rendition)).status).toBe(200);
      await setDamaged(app, file, 5);
      const requests = [
        [file.urlPath, {}],
        [file.urlPath, { headers: { range: 'bytes=0-3' } }],
        [rendition, {}],
        [`${file.urlPath}?width=20`, {}],
      ] as const;
      for (const [path, init] of requests) {
        const response = await app.fetch(path, init);
        expect([response.status, await response.json()]).toEqual([502, ERROR]);
        expect(response.headers.get('etag')).toBeNull();
        expect(response.headers.get('cache-control')).toBe('private, no-store');
      }
      expect((await app.fetch(file.urlPath, { method: 'HEAD' })).status).toBe(502);
      // What a client has cached are the good bytes.
      const headers = { 'if-none-match': `"${file.md5}"` };
      expect((await app.fetch(file.urlPath, { headers })).status).toBe(304);
      const path = `/medias/files/${file.resource}`;
      const response = await app.fetch(path, { asAdmin: true });
      expect(response.status).toBe(502);
      expect(await response.json()).toMatchObject({ errors: [{ status: '502', detail: MESSAGE }] });
      await setDamaged(app, file, null);
      for (const [path, init] of requests) expect((await app.fetch(path, init)).ok).toBe(true);
    }));

  test('is shown to admins only, and counted for them; the server stays ready and says so', () =>
    withApp(
      backend,
      async (app) => {
        const file = await storeFile(app, 'data.bin', Buffer.from('abc'));
        const ready = async () => (await app.fetch('/readyz')).json();
        expect(await ready()).not.toHaveProperty('warnings');
        const query = `query ($id: ID!) { storageUsage { damagedFiles }
          node(id: $id) { ... on File { damagedAt } } }`;
        const id = Buffer.from(`File:${file.id}`).toString('base64');
        const ask = async (credential: Credential) =>
          (await graphql(app, query, { id }, credential)).data;
        const nothing = { storageUsage: { damagedFiles: 0 }, node: { damagedAt: null } };
        expect(await ask(asAdmin(app))).toEqual(nothing);
        await setDamaged(app, file, 5);
        expect(await ask(asAdmin(app))).toEqual({
          storageUsage: { damagedFiles: 1 },
          node: { damagedAt: '1970-01-01T00:00:00.005Z' },
        });
        expect(await ask(await bearer('alice'))).toEqual({
          storageUsage: { damagedFiles: null },
          node: { damagedAt: null },
        });
        expect(await ready()).toMatchObject({ status: 'ready', warnings: ['damaged files: 1'] });
      },
      WITH_USERS,
    ));

  test('that has lost a part of its few bytes is not sent, even before it is marked', () =>
    withApp(backend, async (app) => {
      const { id, urlPath } = await storeFile(app, 'data.bin', Buffer.alloc(1000, 'a'));
      const query = app.services.db.selectFrom('file').where('id', '=', id).select('blob_key');
      const { blob_key } = await query.executeTakeFirstOrThrow();
      await app.services.blobs.withLocalFile(blob_key, (path) => truncate(path, 500));
      const response = await app.fetch(urlPath);
      expect([response.status, await response.json()]).toEqual([502, ERROR]);
    }));
});

async function setDamaged(app: TestApp, { id }: File, damaged_at: number | null): Promise<void> {
  await app.services.db.updateTable('file').set({ damaged_at }).where('id', '=', id).execute();
}
