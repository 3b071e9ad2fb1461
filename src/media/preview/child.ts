import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { childEnvironment } from '../../lib/child-environment.ts';

/** Memory for JavaScript. Decoders and images are outside of it. */
const HEAP_MIB = 256;

/** Starts a process that draws previews, in a process group of its own. `searchPath`: its `PATH`. */
export function startProcess(searchPath: string): ChildProcess {
  const child = fork(new URL('./preview-process.ts', import.meta.url), [], {
    // Keeps bytes.
    serialization: 'advanced',
    execArgv: [`--max-old-space-size=${HEAP_MIB}`, '--max-semi-space-size=4'],
    env: { ...childEnvironment(), MALLOC_ARENA_MAX: '2', PATH: searchPath },
    detached: true,
    // What decoders print about a stranger's file does not belong in the log.
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  // It could not be started, or its channel is broken.
  child.on('error', () => child.kill('SIGKILL'));
  // At once: later, another process could have the number.
  child.once('exit', () => killPrograms(child));
  keepAlive(child, false);
  return child;
}

/** Sets whether a process keeps this one alive. */
export function keepAlive(child: ChildProcess, isBusy: boolean): void {
  if (isBusy) child.ref();
  else child.unref();
  if (isBusy) child.channel?.ref();
  else child.channel?.unref();
}

/** Ends a process and the programs that it has started. */
export async function killGroup(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const ended = once(child, 'exit');
  child.ref();
  child.kill('SIGKILL');
  await ended;
}

/** Ends the programs that a process has started and not ended itself. */
function killPrograms({ pid = 0 }: ChildProcess): void {
  try {
    if (pid > 1) process.kill(-pid, 'SIGKILL');
  } catch {
    // There are none; or the system has no process groups.
  }
}
