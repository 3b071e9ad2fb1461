import { expect, test } from 'vitest';
import { storeFile } from '../../rest/file/stored-file.ts';
import { withApp } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { fixtureBytes } from '../../support/bytes.ts';
import { runInProcess } from '../../support/command.ts';

describeEachBackend('trivium renditions', (backend) => {
  test('enqueues a job for each image that lacks something, beside a server', () =>
    withApp(backend, async (app) => {
      const variables = {
        TRIVIUM_DATA_DIR: app.dataDir,
        TRIVIUM_DATABASE_URL: app.databaseUrl,
        TRIVIUM_ADMIN_KEY: app.adminKey,
      };
      const renditions = (...flags: string[]) => runInProcess(['renditions', ...flags], variables);
      const { db } = app.services;
      await storeFile(app, 'picture.png', fixtureBytes('picture.png'));
      await storeFile(app, 'note.txt', fixtureBytes('note.txt'));
      await db.deleteFrom('job').execute();
      const jobs = db.selectFrom('job').where('job_class', '=', 'make-rendition').selectAll();
      expect((await renditions('--missing', '--dry-run')).output).toBe('1 image to render\n');
      expect(await jobs.execute()).toEqual([]);
      expect(await renditions('--missing')).toEqual({
        ...{ code: 0, errors: '', output: '1 image to render: the server runs the jobs\n' },
      });
      expect(await jobs.execute()).toHaveLength(1);
      const { output } = await renditions('--missing', '--json');
      expect(JSON.parse(output)).toEqual({ files: 2, missing: 1, isDryRun: false });
      expect(await jobs.execute()).toHaveLength(1);
    }));

  test('says what it expects', () =>
    withApp(backend, async (app) => {
      const variables = { TRIVIUM_DATA_DIR: app.dataDir, TRIVIUM_DATABASE_URL: app.databaseUrl };
      const { code, errors } = await runInProcess(
        ['renditions', '--missing', '--thumbnail-sizes', '160,huge'],
        variables,
      );
      expect([code, errors]).toEqual([
        1,
        expect.stringContaining('TRIVIUM_THUMBNAIL_SIZES: expected 1 to 8 widths in pixels'),
      ]);
    }));
});
