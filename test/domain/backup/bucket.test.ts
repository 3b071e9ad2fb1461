import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { backUp } from '../../../src/domain/backup/backup.ts';
import { restore } from '../../../src/domain/backup/restore.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { withLibrary } from '../../support/library.ts';
import { withS3Storage } from '../../support/s3-storage.ts';

const SILENT = { onProgress: () => undefined, report: () => undefined };

describeEachBackend('a restore into a bucket', (backend) => {
  it('downloads nothing when it is started again, and restores what is missing', () =>
    withLibrary(backend, ({ databaseUrl, directory, services, add }) =>
      withS3Storage(({ blobs, server }) =>
        backend.withUrl(async (url) => {
          for (const word of ['one', 'two', 'three']) await add(word);
          const key = join(directory, 'url.key');
          writeFileSync(key, 'secret');
          const path = join(directory, 'backup');
          const options = { keep: 1, isVerifying: false, onProgress: () => undefined };
          await backUp({ services, databaseUrl, keyFiles: [key] }, path, options);
          const dataDir = join(directory, 'restored');
          const target = { databaseUrl: url, dataDir, blobs, checksDigests: true };
          const objects = () => server.state().objects.length;
          vi.spyOn(blobs, 'put').mockRejectedValueOnce(new Error('power cut'));
          await expect(restore(path, target, SILENT)).rejects.toThrow('power cut');
          await expect.poll(objects).toBe(2);
          await restore(path, target, SILENT);
          expect(objects()).toBe(3);
          expect(server.state().counts).toMatchObject({ put: 3 });
          expect(server.state().counts.get).toBeUndefined();
        }, 'empty'),
      ),
    ));
});
