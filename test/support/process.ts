import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { vi } from 'vitest';
import { COMPILE_CACHE } from './compile-cache.ts';
import { emptyStorage, storageVariablesOf } from './storage.ts';

/** The output and the exit code of a command. */
export interface CommandResult {
  code: number | null;
  output: string;
  errors: string;
}

/** A server in its own process. */
export interface ServerProcess {
  url: string;
  child: ChildProcess;
  /** The lines of its log so far. */
  log: Record<string, unknown>[];
  /** Resolves with the exit code. */
  exit: Promise<number | null>;
  /** Resolves when a message that begins with this text has been logged. */
  logged: (message: string) => Promise<void>;
}

type Variables = Readonly<Record<string, string>>;

const MAIN = 'src/main.js';

/** Runs `trivium <args>` to its end, with only these environment variables, and pipes `input` into it. */
export async function runTrivium(
  args: readonly string[],
  variables: Variables = {},
  input = '',
): Promise<CommandResult> {
  const child = start(args, variables);
  child.stdin!.end(input);
  const [output, errors] = [text(child.stdout!), text(child.stderr!)];
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output: await output, errors: await errors };
}

/** Runs `work` with `trivium serve` on a free port, then kills the server. `entry`: another program that serves. */
export function withServerProcess<T>(
  variables: Variables,
  work: (server: ServerProcess) => Promise<T>,
  entry = MAIN,
): Promise<T> {
  return withProcess(variables, 'listening', work, entry);
}

/** Runs `work` with `trivium serve` once it waits for another process that serves the same database. It has no URL yet. */
export function withWaitingProcess<T>(
  variables: Variables,
  work: (server: ServerProcess) => Promise<T>,
): Promise<T> {
  return withProcess(variables, 'waiting: another process', work);
}

async function withProcess<T>(
  variables: Variables,
  firstMessage: string,
  work: (server: ServerProcess) => Promise<T>,
  entry = MAIN,
): Promise<T> {
  const child = spawnNode([entry, 'serve'], { TRIVIUM_PORT: '0', ...variables });
  const log: ServerProcess['log'] = [];
  createInterface({ input: child.stdout! }).on('line', (line) => log.push(JSON.parse(line)));
  child.stderr!.pipe(process.stderr);
  const exit = once(child, 'exit').then(([code]) => code as number | null);
  const logged = (message: string) =>
    vi.waitFor(
      () => {
        const isThere = log.some(({ msg }) => String(msg).startsWith(message));
        const last = JSON.stringify(log.slice(-3));
        if (!isThere) throw new Error(`"${message}" has not been logged. The log ends: ${last}`);
      },
      // Starting a server takes long on a busy machine.
      { timeout: 60_000, interval: 5 },
    );
  try {
    await logged(firstMessage);
    return await work({
      child,
      log,
      exit,
      logged,
      get url() {
        return String(log.find(({ url }) => url !== undefined)?.url);
      },
    });
  } finally {
    child.kill('SIGKILL');
    await exit;
  }
}

/** Runs `work` with an empty data directory, then deletes the directory. */
export async function withDataDir<T>(work: (dataDir: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'trivium-data-'));
  return work(directory).finally(async () => {
    await emptyStorage(directory);
    await rm(directory, { recursive: true });
  });
}

/** Starts Node with only these environment variables. The compile cache halves the time to load the program. */
export function spawnNode(
  args: readonly string[],
  variables: Variables,
  options: SpawnOptions = {},
): ChildProcess {
  const storage = storageVariablesOf(variables);
  const env = { NODE_COMPILE_CACHE: COMPILE_CACHE, ...storage, ...variables };
  return spawn(process.execPath, args, { ...options, env });
}

function start(args: readonly string[], variables: Variables): ChildProcess {
  return spawnNode([MAIN, ...args], variables);
}
