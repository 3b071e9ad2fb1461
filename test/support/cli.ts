import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestApp, withApp } from './app.ts';
import { BACKENDS } from './backend.ts';
import { spawnNode } from './process.ts';

const MAIN = join(import.meta.dirname, '../../src/main.js');

/** The output and the exit code of a command. */
export interface Run {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** A server, a directory for local files, and the commands that talk to the server. */
export interface CliSetup {
  app: TestApp;
  directory: string;
  /** Runs `trivium <args>` in a child process, with the address of the server, as an admin, unless `env` says otherwise. */
  trivium: (
    args: readonly string[],
    env?: Readonly<Record<string, string>>,
    whileItRuns?: (child: ChildProcess) => Promise<void>,
  ) => Promise<Run>;
}

/** Runs `work` with a server on an empty database. */
export function withCli(
  work: (setup: CliSetup) => Promise<void>,
  variables?: Record<string, string>,
): Promise<void> {
  // The commands do not use the database, so one backend is enough.
  return withApp(
    BACKENDS[0]!,
    async (app) => {
      const directory = await mkdtemp(join(tmpdir(), 'trivium-cli-'));
      const own = {
        TRIVIUM_URL: app.url,
        TRIVIUM_API_KEY: app.adminKey,
        XDG_STATE_HOME: join(directory, '.state'),
      };
      const trivium: CliSetup['trivium'] = (args, env, whileItRuns) =>
        runProcess(spawnNode([MAIN, ...args], { ...own, ...env }, { cwd: directory }), whileItRuns);
      await work({ app, directory, trivium }).finally(() => rm(directory, { recursive: true }));
    },
    variables,
  );
}

/** Runs a command to its end. */
export function runProcess(
  child: ChildProcess,
  whileItRuns?: (child: ChildProcess) => Promise<void>,
): Promise<Run> {
  const run: Run = { code: null, stdout: '', stderr: '' };
  child.stdin?.end();
  child.stdout?.on('data', (data) => {
    run.stdout += data;
  });
  child.stderr?.on('data', (data) => {
    run.stderr += data;
  });
  const ended = new Promise<Run>((resolve, reject) => {
    child.on('error', reject).on('close', (code) => resolve({ ...run, code }));
  });
  return Promise.all([ended, whileItRuns?.(child)]).then(([run]) => run);
}
