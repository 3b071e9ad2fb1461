import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { childEnvironment } from '../../lib/child-environment.ts';

const MAIN = fileURLToPath(new URL('../../main.js', import.meta.url));

/** Environment variables of a process. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** A server in a process of its own. */
export interface ScratchServer {
  url: string;
  /** Ends it, without or with the chance to finish its work. Resolves when it has ended. */
  end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void>;
}

/** Time that a server may take to start. */
const START_MS = 60_000;

/** Sets the largest size of a file for the program that follows, in blocks of 512 bytes. */
const LIMITED = 'ulimit -f "$0" && exec "$@"';

const BLOCK_BYTES = 512;

/**
 * Starts a server. With `fileBytesMax`, the system refuses larger files to it, which is as if the disk were full.
 * Returns null if the server does not start.
 */
export async function startServer(
  variables: Variables,
  fileBytesMax: number | null,
): Promise<ScratchServer | null> {
  const command = [process.execPath, MAIN, 'serve'];
  const blocks = String(Math.ceil((fileBytesMax ?? 0) / BLOCK_BYTES));
  const [program = '', ...args] =
    fileBytesMax === null ? command : ['/bin/sh', '-c', LIMITED, blocks, ...command];
  const env = { ...childEnvironment(), ...variables };
  const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'ignore'] });
  const exit = once(child, 'exit');
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    await exit;
  };
  const url = await urlOf(child.stdout, exit);
  if (url !== null) return { url, end };
  await end('SIGKILL');
  return null;
}

/** Returns the URL that a server logs when it listens; null if it ends, or takes too long. */
async function urlOf(output: Readable, exit: Promise<unknown>): Promise<string | null> {
  const { promise, resolve } = Promise.withResolvers<string | null>();
  const timer = setTimeout(() => resolve(null), START_MS);
  void exit.then(() => resolve(null));
  // Reads to the end: a full pipe would block the server.
  createInterface({ input: output }).on('line', (line) => {
    const [, url] = /"msg":"listening on ([^"]+)"/.exec(line) ?? [];
    if (url !== undefined) resolve(url);
  });
  return promise.finally(() => clearTimeout(timer));
}

/** Runs a command of this program to its end. */
export async function runCommandOf(
  args: readonly string[],
  variables: Variables,
): Promise<{ code: number | null; output: string }> {
  const env = { ...childEnvironment(), ...variables };
  const child = spawn(process.execPath, [MAIN, ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const outputs = [text(child.stdout), text(child.stderr)];
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output: (await Promise.all(outputs)).join('').trim() };
}
