import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** The limits of a program. */
export interface ProgramLimits {
  /** Maximum time, in milliseconds. */
  timeoutMs: number;
  /** Maximum number of bytes of its output. */
  outputBytesMax: number;
  /** Maximum size of its address space, in bytes. Not enforced on Windows and macOS. */
  memoryBytesMax: number;
  signal?: AbortSignal | undefined;
  /** Bytes of its standard input. By default it has none. */
  input?: Uint8Array;
}

/** The result of a program that has ended by itself. */
export interface ProgramResult {
  output: Buffer;
  /** The end of what it has written to its standard error, for logs. */
  errorText: string;
  /** Null: a signal has ended it, such as that of the processor time limit. */
  exitCode: number | null;
}

/** A program was killed because it exceeded a limit. */
export class ProgramLimitError extends Error {
  override readonly name = 'ProgramLimitError';
}

const ERROR_TEXT_MAX = 2000;

/**
 * Runs a program in the `PATH` of this process and returns its output. The program belongs to the process group of this
 * process, and is killed when it exceeds a limit. Throws ProgramLimitError then, and the reason of `signal`. A program that
 * is not installed has the exit code 127; on Windows, the error of `spawn` is thrown.
 */
export async function runProgram(
  name: string,
  parameters: readonly string[],
  limits: ProgramLimits,
): Promise<ProgramResult> {
  limits.signal?.throwIfAborted();
  const [command, args] = withLimits(name, parameters, limits);
  const child = spawn(command, args, {
    stdio: [limits.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    windowsHide: true,
  });
  const stop = Promise.withResolvers<never>();
  const fail = (error: unknown) => {
    child.kill('SIGKILL');
    stop.reject(error);
  };
  const onAbort = () => fail(limits.signal?.reason);
  const timer = setTimeout(() => fail(new ProgramLimitError('time')), limits.timeoutMs);
  limits.signal?.addEventListener('abort', onAbort);
  const pieces: Buffer[] = [];
  let length = 0;
  let errorText = '';
  child.stdout?.on('data', (piece: Buffer) => {
    length += piece.length;
    if (length > limits.outputBytesMax) fail(new ProgramLimitError('output'));
    else pieces.push(piece);
  });
  child.stderr?.on('data', (piece: Buffer) => {
    errorText = (errorText + piece.toString('latin1')).slice(-ERROR_TEXT_MAX);
  });
  // It may read no more than it needs.
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(limits.input);
  try {
    const [exitCode] = await Promise.race([once(child, 'close'), stop.promise]);
    return { output: Buffer.concat(pieces), errorText, exitCode };
  } finally {
    clearTimeout(timer);
    limits.signal?.removeEventListener('abort', onAbort);
    // A program that it has started may hold its output open.
    child.stdout?.destroy();
    child.stderr?.destroy();
  }
}

/** Maximum time of the processor, whatever the time limit. */
const CPU_MS_MAX = 60_000;

/**
 * Sets limits that the kernel enforces, also after this process has been killed: a shell sets them, and is then replaced
 * by the program. A limit that the system does not know is left out.
 */
const SHELL_LIMITS =
  'ulimit -v "$1" 2>/dev/null; ulimit -t "$2" 2>/dev/null; ulimit -c 0 2>/dev/null; shift 2; exec "$@"';

function withLimits(
  name: string,
  parameters: readonly string[],
  { memoryBytesMax, timeoutMs }: ProgramLimits,
): [command: string, parameters: string[]] {
  if (process.platform === 'win32') return [name, [...parameters]];
  const memoryKiB = String(Math.ceil(memoryBytesMax / 1024));
  const seconds = String(Math.ceil(Math.min(timeoutMs, CPU_MS_MAX) / 1000));
  return ['/bin/sh', ['-c', SHELL_LIMITS, 'sh', memoryKiB, seconds, name, ...parameters]];
}
