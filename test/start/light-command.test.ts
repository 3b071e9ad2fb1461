import { expect, it } from 'vitest';
import { runProcess } from '../support/cli.ts';
import { spawnNode } from '../support/process.ts';

/** Prints the packages that a program has loaded, when it ends. */
const REPORTER = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module';
  const packages = new Set();
  registerHooks({
    load(url, context, next) {
      packages.add(/node_modules\\/((@[^/]+\\/)?[^/]+)/.exec(url)?.[1]);
      return next(url, context);
    },
  });
  process.on('exit', () => console.error([...packages].join(' ')));
`)}`;

// They would add a tenth of a second or more of processor time to each call of a command.
it('a command that talks to a server loads no database and no server', async () => {
  const run = await runProcess(
    spawnNode(['--import', REPORTER, 'src/main.js', 'ls', '--help'], {}),
  );
  const packages = run.stderr.trim().split(' ');
  expect(packages).toContain('commander');
  const heavy = ['kysely', 'pg', 'better-sqlite3', 'pino', 'fastify', 'graphql', 'sharp'];
  expect(packages.filter((name) => heavy.includes(name))).toEqual([]);
});
