import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { createApp } from '../../src/start/app.ts';
import { parseConfig } from '../../src/start/config.ts';
import { BACKENDS } from '../support/backend.ts';
import { sendChunk } from '../support/selfcommunity.ts';

const POSTGRES = BACKENDS.find(({ name }) => name === 'postgres');

/** Runs `work` with the URLs of two processes' servers on one database. */
async function withTwo(
  variables: Readonly<Record<string, string>>,
  work: (a: string, b: string) => Promise<void>,
): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'trivium-test-'));
  try {
    await POSTGRES?.withUrl(async (url) => {
      const config = parseConfig({
        TRIVIUM_PORT: '0',
        TRIVIUM_LOG_LEVEL: 'silent',
        TRIVIUM_JOB_CONCURRENCY: '0',
        TRIVIUM_DATA_DIR: dataDir,
        TRIVIUM_DATABASE_URL: url,
        ...variables,
      });
      const [one, other] = [await createApp(config), await createApp(config)];
      try {
        await work(await one.start(), await other.start());
      } finally {
        await Promise.all([one.stop(), other.stop()]);
      }
    });
  } finally {
    await rm(dataDir, { recursive: true });
  }
}

it.skipIf(POSTGRES === undefined)('two processes share the limit on requests', () =>
  withTwo({ TRIVIUM_RATE_REQUESTS: '10' }, (a, b) =>
    vi.waitFor(
      async () => {
        await Promise.all(Array.from({ length: 12 }, () => fetch(`${a}/api/v2/tag/`)));
        // Alone it would allow ten.
        const statuses = [await fetch(`${b}/api/v2/tag/`), await fetch(`${b}/api/v2/tag/`)];
        expect(statuses.map(({ status }) => status)).toContain(429);
      },
      { timeout: 60_000, interval: 10 },
    ),
  ),
);

it.skipIf(POSTGRES === undefined)('two processes share the quota of upload sessions', () =>
  withTwo({ TRIVIUM_QUOTA_UPLOADS: '3' }, async (a, b) => {
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        sendChunk({ url: index % 2 === 0 ? a : b }, Buffer.from('ab'), { totalBytes: 4 }),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([
      ...Array.from({ length: 3 }, () => 201),
      ...Array.from({ length: 7 }, () => 429),
    ]);
  }),
);
