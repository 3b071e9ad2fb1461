import { expect, test } from 'vitest';
import { storeFile } from '../../rest/file/stored-file.ts';
import { withApp } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { fixtureBytes } from '../../support/bytes.ts';
import { runInProcess } from '../../support/command.ts';

describeEachBackend('trivium previews', (backend) => {
  test('enqueues a job for each original without a preview, beside a server', () =>
    withApp(backend, async (app) => {
      const variables = {
        TRIVIUM_DATA_DIR: app.dataDir,
        TRIVIUM_DATABASE_URL: app.databaseUrl,
        TRIVIUM_ADMIN_KEY: app.adminKey,
      };
      const previews = (...flags: string[]) => runInProcess(['previews', ...flags], variables);
      const { db } = app.services;
      await storeFile(app, 'document.pdf', fixtureBytes('document.pdf'));
      await storeFile(app, 'note.txt', fixtureBytes('note.txt'));
      await db.deleteFrom('job').execute();
      expect(await previews('--missing')).toEqual({
        ...{ code: 0, errors: '', output: '1 file to draw: the server runs the jobs\n' },
      });
      const jobs = db.selectFrom('job').where('job_class', '=', 'draw-preview').selectAll();
      expect(await jobs.execute()).toHaveLength(1);
      await db.updateTable('media').set({ preview_error: 'Too strange.' }).execute();
      expect((await previews('--missing')).output).toBe('no files to draw\n');
      expect((await previews('--missing', '--failed')).output).toMatch(/^1 file to draw/);
    }));
});
