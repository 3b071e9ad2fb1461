import { readdirSync, readFileSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { createPreviewer, type PreviewLimits } from '../../../../src/media/preview/previewer.ts';
import { videoDecoder } from '../../../../src/media/preview/video/decoder.ts';
import { fixture } from '../../../support/temporary-file.ts';
import { looksOf } from '../draw.ts';
import { AVI } from './recorded.ts';

/** Programs in place of ffmpeg and ffprobe, which need not be installed: shell scripts. */
const CAT = (name: string) => `exec /bin/cat '${fixture(name)}'`;
const FRAME = CAT('picture.png');
const BLACK = CAT('preview/black.png');
const PROBE = `/bin/cat <<'END'\n${AVI}\nEND`;

interface Scripts {
  ffmpeg?: string;
  ffprobe?: string;
}

async function withPrograms(
  { ffmpeg, ffprobe }: Scripts,
  work: (host: { searchPath: string; directory: string }) => Promise<void>,
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'trivium-programs-'));
  try {
    for (const [name, script] of Object.entries({ ffmpeg, ffprobe })) {
      if (script === undefined) continue;
      await writeFile(
        join(directory, name),
        `#!/bin/sh\necho "$@" >>"${directory}/calls"\n${script}\n`,
      );
      await chmod(join(directory, name), 0o755);
    }
    await work({ searchPath: directory, directory });
  } finally {
    await rm(directory, { recursive: true });
  }
}

const FILE = { path: fixture('clip.mp4'), mimeType: 'video/mp4', decoder: 'video' };

async function draw(scripts: Scripts, limits: Partial<PreviewLimits> = {}) {
  let calls = '';
  let looks = '';
  await withPrograms(scripts, async ({ searchPath, directory }) => {
    const previewer = createPreviewer({ searchPath, limits });
    try {
      looks = await looksOf(await previewer.draw(FILE));
    } finally {
      await previewer.stop();
    }
    calls = await readFile(join(directory, 'calls'), 'utf8');
  });
  return { looks, calls: calls.trim().split('\n') };
}

describe.skipIf(process.platform === 'win32')('the preview of a video', () => {
  test('needs ffmpeg, and says so without it', async () => {
    expect(await videoDecoder.find({ searchPath: '' })).toEqual({
      isAvailable: false,
      reason: 'ffmpeg is not installed.',
    });
    await withPrograms({ ffmpeg: FRAME }, async ({ searchPath }) => {
      expect(await videoDecoder.find({ searchPath })).toEqual({ isAvailable: true });
    });
  });

  test('is a frame at a tenth of its duration, which ffprobe tells', async () => {
    const { looks, calls } = await draw({ ffmpeg: FRAME, ffprobe: PROBE });
    expect(looks).toMatch(/^20 × 16/);
    expect(calls).toHaveLength(2);
    expect(calls[1]).toContain('-ss 0.204 ');
  });

  test('is a frame of its start without ffprobe, or if ffprobe fails', async () => {
    for (const ffprobe of [undefined, 'exit 1', 'kill -9 $$', 'echo {', 'exec /bin/sleep 0.1']) {
      const { looks, calls } = await draw({ ffmpeg: FRAME, ...(ffprobe && { ffprobe }) });
      expect(looks).toMatch(/^20 × 16/);
      expect(calls.at(-1)).not.toContain('-ss');
    }
  });

  test('is black only if all frames that are looked at are', async () => {
    const late = `case "$*" in *'-ss 1.019'*) ${FRAME};; *) ${BLACK};; esac`;
    const { looks } = await draw({ ffmpeg: late, ffprobe: PROBE });
    expect(looks).toMatch(/^20 × 16/);
    const black = await draw({ ffmpeg: BLACK, ffprobe: PROBE });
    expect(black.looks).toMatch(/^8 × 8: black/);
    expect(black.calls).toHaveLength(5);
  });

  test('is never a part of a frame, which ffmpeg leaves when the kernel kills it', async () => {
    const part = `/usr/bin/head -c 60 '${fixture('picture.png')}'; kill -9 $$`;
    const { looks, calls } = await draw({
      ffmpeg: `case "$*" in *'-ss 0.204'*) ${part};; *) ${FRAME};; esac`,
      ffprobe: PROBE,
    });
    expect(looks).toMatch(/^20 × 16/);
    expect(calls).toHaveLength(3);
  });

  test('is missing, with a reason, if ffmpeg finds no frame', async () => {
    for (const ffmpeg of ['exit 1', 'exit 0', 'kill -SEGV $$']) {
      await expect(draw({ ffmpeg, ffprobe: PROBE })).rejects.toThrow(
        'The video has no frame that ffmpeg can decode.',
      );
    }
  });

  test('is missing, with a reason, if ffmpeg hangs or never stops writing', async () => {
    await expect(draw({ ffmpeg: '/bin/sleep 1000' }, { timeoutMs: 2000 })).rejects.toThrow(
      /takes too long/,
    );
    const endless = 'while :; do echo 0123456789012345678901234567890123456789; done';
    await expect(
      draw({ ffmpeg: `${FRAME.replace('exec ', '')}; exec /usr/bin/yes` }),
    ).rejects.toThrow('The video has no frame that ffmpeg can decode.');
    await expect(draw({ ffmpeg: endless }, { timeoutMs: 2000 })).rejects.toThrow(
      /takes too long|no frame/,
    );
  });

  test('leaves no program behind when the previewer stops in the middle of it', async () => {
    await withPrograms({ ffmpeg: 'exec /bin/sleep 987654' }, async ({ searchPath, directory }) => {
      const previewer = createPreviewer({ searchPath });
      const drawing = previewer.draw(FILE).catch((error: Error) => error);
      await vi.waitFor(() => readFile(join(directory, 'calls')));
      await previewer.stop();
      expect(await drawing).toBeInstanceOf(Error);
      await vi.waitFor(() => expect(programs('987654')).toEqual([]));
    });
  });

  test('has limits of its own that the kernel enforces', async () => {
    const print = '{ ulimit -v; ulimit -t; } >"$(/usr/bin/dirname "$0")/limits"; exit 1';
    await withPrograms({ ffmpeg: print }, async ({ searchPath, directory }) => {
      const previewer = createPreviewer({ searchPath });
      await previewer.draw(FILE).catch(() => null);
      await previewer.stop();
      const [memory = '', seconds = ''] = (await readFile(join(directory, 'limits'), 'utf8')).split(
        '\n',
      );
      expect(Number(memory)).toBeLessThan(2 * 1024 * 1024);
      expect(Number(seconds)).toBeLessThanOrEqual(60);
    });
  });
});

/** Returns the command lines of processes that contain a text. Linux only. */
function programs(text: string): string[] {
  const lines = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      } catch {
        return '';
      }
    });
  return lines.filter((line) => line.includes(text));
}
