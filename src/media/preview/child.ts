import { type ChildProcess, fork } from 'node:child_process';
import { childEnvironment } from '../../lib/child-environment.ts';
import { keepAlive } from '../rendition/child.ts';

/** Memory for JavaScript. Decoders and images are outside of it. */
const HEAP_MIB = 256;

/**
 * Starts a process that draws previews, in a process group of its own, which ends with it. `searchPath`: its `PATH`.
 */
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

/** Ends the programs that a process has started and not ended itself. */
function killPrograms({ pid = 0 }: ChildProcess): void {
  try {
    if (pid > 1) process.kill(-pid, 'SIGKILL');
  } catch {
    // No program is running, or the system has no process groups.
  }
}
