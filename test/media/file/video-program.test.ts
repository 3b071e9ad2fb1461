import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createDetailsReader } from '../../../src/media/file/reader.ts';
import { fixtureBytes } from '../../support/bytes.ts';
import { AVI } from '../preview/video/recorded.ts';
import { watchedSource } from './details-source.ts';

const CLIPS = ['clip.avi', 'clip.wmv', 'clip.flv'];

/** Reads the details of a video with a script in place of ffprobe; null: there is none. */
async function detailsWith(script: string | null, name: string) {
  const searchPath = await mkdtemp(join(tmpdir(), 'trivium-ffprobe-'));
  const reader = createDetailsReader({ searchPath });
  try {
    if (script !== null) {
      await writeFile(join(searchPath, 'ffprobe'), `#!/bin/sh\n${script}\n`);
      await chmod(join(searchPath, 'ffprobe'), 0o755);
    }
    const { source } = watchedSource(fixtureBytes(name));
    return await reader.read(source, 'video');
  } finally {
    await reader.stop();
    await rm(searchPath, { recursive: true });
  }
}

describe.skipIf(process.platform === 'win32')(
  'the details of a video that only ffprobe reads',
  () => {
    test.each(CLIPS)('are those that ffprobe tells, such as of %s', async (name) => {
      // It is given the file at its standard input.
      const script = `/usr/bin/head -c 4 >/dev/null || exit 1\n/bin/cat <<'END'\n${AVI}\nEND`;
      expect(await detailsWith(script, `preview/${name}`)).toMatchObject({
        ...{ durationMs: 2038, width: 96, height: 64, frameRate: 10 },
        ...{ videoCodec: 'mpeg4', audioCodec: 'mp2' },
      });
    });

    test('are empty without ffprobe, and if it fails or never stops writing', async () => {
      for (const script of [null, 'exit 1', 'kill -9 $$', 'exec /usr/bin/yes']) {
        expect(await detailsWith(script, 'preview/clip.avi')).toEqual({});
      }
    });

    test('of other videos do not need it', async () => {
      expect(await detailsWith(null, 'clip.mp4')).toMatchObject({ videoCodec: 'h264', width: 16 });
    });
  },
);
