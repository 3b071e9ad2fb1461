import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** The result of a child process's work. */
export interface Outcome<Result> {
  /** An Error: the work has failed. */
  result: Result | Error;
  /** Whether the process waits for more work; otherwise it has ended, or must be ended. */
  isAlive: boolean;
}

/** Gives work to a child process, one piece after the other. */
export interface ChildQueue {
  /**
   * Runs `work` in its turn, and returns its result. The process has ended by then if the outcome is not alive. Throws the
   * error of the outcome, and the reason of `signal` if it is aborted before.
   */
  run<Result>(
    work: (child: ChildProcess) => Promise<Outcome<Result>>,
    signal?: AbortSignal,
  ): Promise<Result>;
  /** Ends the process, also in the middle of work. */
  stop(): Promise<void>;
}

/**
 * Creates a queue. Its process starts with the first work, and again when it has ended; it ends after `idleMs`
 * milliseconds without work.
 */
export function createChildQueue(start: () => ChildProcess, idleMs: number): ChildQueue {
  let current: ChildProcess | undefined;
  let idle: NodeJS.Timeout | undefined;
  let last: Promise<unknown> = Promise.resolve();
  async function stop(): Promise<void> {
    clearTimeout(idle);
    const child = current;
    current = undefined;
    if (child !== undefined) await killChild(child);
  }
  return {
    run(work, signal) {
      const result = last.then(async () => {
        signal?.throwIfAborted();
        clearTimeout(idle);
        if (current === undefined || !current.connected) current = start();
        const { result, isAlive } = await work(current);
        if (isAlive) idle = setTimeout(stop, idleMs).unref();
        else await stop();
        if (result instanceof Error) throw result;
        return result;
      });
      last = result.catch(() => undefined);
      return result;
    },
    stop,
  };
}

/** Sets whether a process keeps this one alive. */
export function keepAlive(child: ChildProcess, isBusy: boolean): void {
  if (isBusy) child.ref();
  else child.unref();
  if (isBusy) child.channel?.ref();
  else child.channel?.unref();
}

/** Kills a process, and waits until it has ended. */
export async function killChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const ended = once(child, 'exit');
  child.ref();
  child.kill('SIGKILL');
  await ended;
}
