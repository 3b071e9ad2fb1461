import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { COMPILE_CACHE } from './compile-cache.ts';
import type { CommandResult } from './process.ts';

/** A shell in a directory that looks like a checkout with an empty `data`. */
export interface Shell {
  directory: string;
  /** Runs a script until it ends or, because of `-e`, until a command fails. */
  run(script: string): Promise<CommandResult>;
  /** Runs a script that does not end by itself. Returns its first output, then kills it. */
  runUntilOutput(script: string): Promise<string>;
}

const CHECKOUT = ['package.json', 'node_modules', 'src', 'test', 'docs'];

/** Runs `work` with a shell, then deletes the directory of the shell. */
export async function withShell<T>(work: (shell: Shell) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'trivium-shell-'));
  try {
    await mkdir(join(directory, 'data'));
    for (const name of CHECKOUT) await symlink(resolve(name), join(directory, name));
    return await work({
      directory,
      run: (script) => run(start(directory, script)),
      runUntilOutput: (script) => runUntilOutput(start(directory, script)),
    });
  } finally {
    await rm(directory, { recursive: true });
  }
}

/**
 * Starts a script in its own process group, so that its commands can be killed with it, and without the
 * variables of the test run.
 */
function start(directory: string, script: string): ChildProcess {
  const PATH = [dirname(process.execPath), process.env.PATH].join(delimiter);
  const env = { PATH, HOME: directory, NODE_COMPILE_CACHE: COMPILE_CACHE };
  return spawn('sh', ['-e', '-c', script], { cwd: directory, env, detached: true });
}

async function run(child: ChildProcess): Promise<CommandResult> {
  child.stdin!.end();
  const [output, errors] = [text(child.stdout!), text(child.stderr!)];
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output: await output, errors: await errors };
}

async function runUntilOutput(child: ChildProcess): Promise<string> {
  const closed = once(child, 'close');
  try {
    const ended = closed.then(() => Promise.reject(new Error('The script printed nothing.')));
    const [output] = await Promise.race([once(child.stdout!, 'data'), ended]);
    return String(output);
  } finally {
    // A process that has ended already is not killed.
    if (child.exitCode === null) process.kill(-child.pid!, 'SIGKILL');
    await closed;
  }
}
