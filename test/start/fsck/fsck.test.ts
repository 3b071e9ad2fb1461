import { rm } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { corrupt } from '../../domain/fsck/library.ts';
import { storeFile } from '../../rest/file/stored-file.ts';
import { withApp } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { runInProcess } from '../../support/command.ts';

describeEachBackend('trivium fsck', (backend) => {
  test('runs beside a server: exits with 0 without differences, with 1 for any, and the server serves what it marks', () =>
    withApp(backend, async (app) => {
      const variables = {
        TRIVIUM_DATA_DIR: app.dataDir,
        TRIVIUM_DATABASE_URL: app.databaseUrl,
        TRIVIUM_ADMIN_KEY: app.adminKey,
      };
      const fsck = (...flags: string[]) => runInProcess(['fsck', ...flags], variables);
      const good = await storeFile(app, 'good.bin', Buffer.from('good bytes'));
      const bad = await storeFile(app, 'bad\u0007.bin', Buffer.alloc(300_000, 'a'));
      const clean = await fsck('--rehash');
      expect(clean).toMatchObject({ code: 0, errors: '' });
      expect(clean.output).toBe('checked 2 blobs, read 300010 bytes: no differences\n');

      const query = app.services.db.selectFrom('file').where('id', '=', bad.id).select('blob_key');
      const { blob_key } = await query.executeTakeFirstOrThrow();
      await corrupt(app.services, blob_key);
      expect((await fsck('--repair')).code).toBe(0);
      const line = `damaged-file  media ${bad.mediaId}  "${bad.filename}"  blob ${blob_key}: the bytes do not have their digest`;
      expect(await fsck('--rehash')).toMatchObject({
        code: 1,
        output: `${line}\nchecked 2 blobs, read 300010 bytes: 1 difference\n`,
      });
      expect((await app.fetch(bad.urlPath)).status).toBe(200);
      const json = await fsck('--rehash', '--repair', '--json');
      expect(json.code).toBe(1);
      expect(JSON.parse(json.output)).toMatchObject({
        kind: 'damaged-file',
        mediaId: bad.mediaId,
        blobKey: blob_key,
        repair: expect.stringContaining('marked'),
      });
      // The running server learns of the mark at once.
      expect((await app.fetch(bad.urlPath)).status).toBe(502);
      expect((await app.fetch(good.urlPath)).status).toBe(200);
      expect((await fsck()).code).toBe(1);
    }));

  test('fails with 2, and creates nothing, where the storage or the database is missing', () =>
    withApp(backend, async (app) => {
      const fsck = (variables: Record<string, string>, ...flags: string[]) =>
        runInProcess(['fsck', ...flags], {
          TRIVIUM_DATA_DIR: app.dataDir,
          TRIVIUM_DATABASE_URL: app.databaseUrl,
          ...variables,
        });
      const storage = `${app.dataDir}/not-mounted`;
      const missing = await fsck({ TRIVIUM_STORAGE_URL: `file:${storage}` }, '--repair');
      expect(missing).toMatchObject({ code: 2, output: '' });
      expect(missing.errors).toContain(`${storage}/stored does not exist`);
      await expect(rm(storage, { recursive: true })).rejects.toMatchObject({ code: 'ENOENT' });
      expect((await fsck({ TRIVIUM_PORT: 'none' })).code).toBe(2);
    }));
});
