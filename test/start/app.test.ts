import { randomBytes } from 'node:crypto';
import { readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createApp } from '../../src/start/app.ts';
import { parseConfig } from '../../src/start/config.ts';
import { withDataDir } from '../support/process.ts';

describe('the sweep at startup', () => {
  it('deletes staged bytes of an earlier run, but none of the first requests', () =>
    withDataDir(async (dataDir) => {
      vi.useFakeTimers({ toFake: ['Date'] });
      onTestFinished(() => void vi.useRealTimers());
      const startedAt = Date.now();
      const app = await createApp(
        parseConfig({
          TRIVIUM_PORT: '0',
          TRIVIUM_LOG_LEVEL: 'silent',
          TRIVIUM_JOB_CONCURRENCY: '0',
          TRIVIUM_DATA_DIR: dataDir,
        }),
      );
      const staging = join(dataDir, 'blobs', 'staging');
      const stage = async (modifiedAt: number) => {
        const key = randomBytes(16).toString('hex');
        await writeFile(join(staging, key), 'x');
        await utimes(join(staging, key), modifiedAt / 1000, modifiedAt / 1000);
        return key;
      };
      await stage(startedAt - 1000);
      // Written by a clock that has been set back since.
      await stage(startedAt + 400 * 24 * 3_600_000);
      // The kernel sets file times to its last tick, which may precede the start.
      const first = await stage(startedAt - 10);
      app.server.addHook('onListen', async () => void vi.setSystemTime(startedAt + 1000));
      await app.start();
      await app.stop();
      expect(await readdir(staging)).toEqual([first]);
    }));
});
