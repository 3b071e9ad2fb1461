import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A server that has started. */
export interface RunningServer {
  url: string;
  pid: number;
  /** Stops it by SIGTERM, so that it writes its profile, if any. */
  stop: () => Promise<void>;
}

const START_TIMEOUT_MS = 20_000;
const STOP_TIMEOUT_MS = 10_000;

/** Runs `work` with a temporary directory; afterwards stops its servers and deletes it, also on failure and Ctrl-C. */
export async function withScratch(
  parent: string,
  work: (scratch: Scratch) => Promise<void>,
): Promise<void> {
  const scratch = new Scratch(mkdtempSync(join(parent, 'trivium-bench-')));
  const atExit = () => scratch.destroy();
  process.on('exit', atExit);
  try {
    await work(scratch);
  } catch (error) {
    scratch.reportCrashes();
    throw error;
  } finally {
    await scratch.stopAll();
    scratch.destroy();
    process.off('exit', atExit);
  }
}

export class Scratch {
  readonly directory: string;
  /** Each with the path of its output. */
  readonly #children = new Map<ChildProcess, string>();

  constructor(directory: string) {
    this.directory = directory;
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  /**
   * Starts a server that prints a JSON line with its `url`. Its output goes to a file: reading a pipe of log lines
   * would take time of the load's core.
   */
  async start(
    name: string,
    command: readonly string[],
    env: NodeJS.ProcessEnv,
  ): Promise<RunningServer> {
    const logPath = this.path(`${name}.log`);
    const log = openSync(logPath, 'w');
    const [program = process.execPath, ...args] = command;
    const child = spawn(program, args, { env, stdio: ['ignore', log, log] });
    closeSync(log);
    this.#children.set(child, logPath);
    const url = await waitForUrl(name, child, logPath);
    return { url, pid: child.pid!, stop: () => this.#stop(child) };
  }

  /** Prints the last output of each server that has exited by itself: its client's error says less. */
  reportCrashes(): void {
    for (const [{ exitCode, signalCode }, logPath] of this.#children) {
      if (exitCode === null && signalCode === null) continue;
      console.error(`A server ended (${exitCode ?? signalCode}):\n${tailOf(logPath)}`);
    }
  }

  async remove(name: string): Promise<void> {
    await rm(this.path(name), { recursive: true, force: true });
  }

  async stopAll(): Promise<void> {
    await Promise.all([...this.#children.keys()].map((child) => this.#stop(child)));
  }

  /** Kills what still runs and deletes the directory, without waiting. */
  destroy(): void {
    for (const child of this.#children.keys()) child.kill('SIGKILL');
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  }

  async #stop(child: ChildProcess): Promise<void> {
    if (child.exitCode === null && child.signalCode === null) {
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
      await exited;
      clearTimeout(timer);
    }
    this.#children.delete(child);
  }
}

async function waitForUrl(name: string, child: ChildProcess, logPath: string): Promise<string> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  let failure: Error | undefined;
  child.on('error', (error) => {
    failure = error;
  });
  while (child.exitCode === null && failure === undefined && Date.now() < deadline) {
    const output = readFileSync(logPath, 'utf8');
    const url = output.split('\n').map(urlOf).find(Boolean);
    if (url) return url;
    await sleep(20);
  }
  throw new Error(`${name} did not start:\n${tailOf(logPath)}`, { cause: failure });
}

function urlOf(line: string): string | undefined {
  return /^\{.*"url":"(http:[^"]+)"/.exec(line)?.[1];
}

function tailOf(logPath: string): string {
  return readFileSync(logPath, 'utf8').slice(-2000);
}
