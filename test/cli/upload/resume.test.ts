import { randomBytes } from 'node:crypto';
import { readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import type { TestApp } from '../../support/app.ts';
import { fixtureBytes } from '../../support/bytes.ts';
import { type CliSetup, withCli } from '../../support/cli.ts';
import { withTerminal } from '../../support/terminal.ts';

const SIZE = 60_000_000;

/** Resolves when the server holds some bytes of an open upload session. */
async function untilBegun({ services }: TestApp): Promise<void> {
  const sessions = services.db.selectFrom('upload').select('offset_bytes');
  const hasBegun = async () => ((await sessions.execute()).at(-1)?.offset_bytes ?? 0) > 1_000_000;
  await vi.waitUntil(hasBegun, { interval: 5, timeout: 60_000 });
}

function sessions({ services }: TestApp) {
  return services.db.selectFrom('upload').select(['upload_id', 'status']).execute();
}

/** Writes a file whose upload takes a while. */
async function makeLarge({ directory }: CliSetup): Promise<string> {
  const path = join(directory, 'large.bin');
  await writeFile(path, randomBytes(SIZE));
  return path;
}

const states = ({ directory }: CliSetup) =>
  readdir(join(directory, '.state/trivium/uploads')).catch(() => []);

test.each(['SIGINT', 'SIGKILL'] as const)(
  'after %s, the same command continues in the middle of the file',
  (signal) =>
    withCli(async (setup) => {
      const { app, trivium } = setup;
      const path = await makeLarge(setup);
      const args = ['upload', path, '--title', "it's large", '--key', app.adminKey];
      const stopped = await trivium(args, {}, async (child) => {
        await untilBegun(app);
        child.kill(signal);
      });
      if (signal === 'SIGINT') {
        expect(stopped).toEqual({
          code: 130,
          stdout: '',
          stderr: `trivium: interrupted. To go on, run the same command again:\n  trivium upload ${path} --title 'it'\\''s large' --key …\n`,
        });
      }
      const [begun, ...none] = await sessions(app);
      expect([begun?.status, none]).toEqual(['open', []]);
      expect(await states(setup)).toHaveLength(1);
      const next = await trivium([...args, '--json']);
      expect([next.code, next.stderr]).toEqual([0, '']);
      expect(JSON.parse(next.stdout)).toMatchObject({
        status: 'stored',
        file: { sizeBytes: SIZE },
      });
      expect(await sessions(app)).toMatchObject([
        { upload_id: begun?.upload_id, status: 'completed' },
      ]);
      expect(await states(setup)).toEqual([]);
      const last = await trivium([...args, '--json']);
      expect(JSON.parse(last.stdout)).toMatchObject({ status: 'exists' });
    }),
);

test('a file that has changed since begins anew', () =>
  withCli(async (setup) => {
    const { app, trivium } = setup;
    const path = await makeLarge(setup);
    await trivium(['upload', path], {}, async (child) => {
      await untilBegun(app);
      child.kill('SIGKILL');
    });
    await writeFile(path, randomBytes(SIZE));
    await utimes(path, 1, 1);
    const run = await trivium(['upload', path]);
    expect([run.code, run.stderr]).toEqual([0, '']);
    expect((await sessions(app)).map(({ status }) => status).sort()).toEqual(['completed', 'open']);
  }));

test('what the server has stored without its location is there the next time', () =>
  withCli(
    async ({ directory, trivium }) => {
      await writeFile(join(directory, 'photo.jpg'), fixtureBytes('photo-with-details.jpg'));
      await writeFile(join(directory, 'video.mov'), fixtureBytes('phone.mov'));
      await writeFile(join(directory, 'note.txt'), 'hello');
      const args = ['upload', 'photo.jpg', 'video.mov', 'note.txt', '--json'];
      const run = async () => {
        const lines = (await trivium(args)).stdout.trimEnd().split('\n');
        return lines.map((line) => JSON.parse(line)).map(({ id, status }) => [id, status]);
      };
      const first = await run();
      expect(first.map(([, status]) => status)).toEqual(['stored', 'stored', 'stored']);
      expect(await run()).toEqual(first.map(([id]) => [id, 'exists']));
    },
    { TRIVIUM_STRIP_LOCATION: 'always' },
  ));

test('a state that cannot be written is reported once, and stops nothing', () =>
  withCli(async ({ directory, trivium }) => {
    await writeFile(join(directory, 'file'), 'x');
    for (const name of ['a', 'b']) await writeFile(join(directory, name), randomBytes(2_000_000));
    const run = await trivium(['upload', 'a', 'b'], { XDG_STATE_HOME: join(directory, 'file') });
    expect(run.code).toBe(0);
    expect(run.stderr).toMatch(
      /^trivium: .*cannot be written, so an interrupted upload starts again.*\n$/,
    );
  }));

test('on a terminal, one bar shows the progress of all files; Ctrl-C says how to go on', () =>
  withCli(async (setup) => {
    const { app, directory } = setup;
    const path = await makeLarge(setup);
    await writeFile(join(directory, 'small.txt'), 'small');
    const env = {
      TRIVIUM_URL: app.url,
      TRIVIUM_API_KEY: app.adminKey,
      XDG_STATE_HOME: join(directory, '.state'),
      npm_command: 'exec',
    };
    const args = ['src/main.js', 'upload', join(directory, 'small.txt'), path];
    await withTerminal(args, env, async (terminal) => {
      await terminal.shows('of 57.2 MiB');
      await terminal.shows('large.bin (2/2)');
      await untilBegun(app);
      terminal.type('\x03');
      await terminal.shows('interrupted. To go on, run the same command again:');
      expect(await terminal.exit).toBe(130);
      expect(terminal.output).toContain(
        `npx trivium upload ${join(directory, 'small.txt')} ${path}`,
      );
    });
  }));
