import { expect, test } from 'vitest';
import { storeFile } from '../../rest/file/stored-file.ts';
import { withApp } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { fixtureBytes } from '../../support/bytes.ts';
import { runInProcess } from '../../support/command.ts';

describeEachBackend('trivium details', (backend) => {
  test('enqueues a job for each original that has not been read, beside a server', () =>
    withApp(backend, async (app) => {
      const variables = {
        TRIVIUM_DATA_DIR: app.dataDir,
        TRIVIUM_DATABASE_URL: app.databaseUrl,
        TRIVIUM_ADMIN_KEY: app.adminKey,
      };
      const details = (...flags: string[]) => runInProcess(['details', ...flags], variables);
      const { db } = app.services;
      await storeFile(app, 'phone.mov', fixtureBytes('phone.mov'));
      await storeFile(app, 'note.txt', fixtureBytes('note.txt'));
      await db.deleteFrom('job').execute();
      await db.updateTable('media').set({ details: null }).execute();
      expect(await details('--missing')).toEqual({
        ...{ code: 0, errors: '', output: '1 file to read: the server runs the jobs\n' },
      });
      const jobs = db.selectFrom('job').where('job_class', '=', 'read-details').selectAll();
      expect(await jobs.execute()).toHaveLength(1);
      await db.updateTable('media').set({ details: '{}' }).execute();
      expect((await details('--missing')).output).toBe('no files to read\n');
      await db.deleteFrom('job').execute();
      expect((await details('--missing', '--failed')).output).toContain('1 file to read');
      expect(await jobs.execute()).toHaveLength(1);
    }));
});
