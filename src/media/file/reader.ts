import { type ChildProcess, fork } from 'node:child_process';
import { childEnvironment } from '../../lib/child-environment.ts';
import { createChildQueue, keepAlive, type Outcome } from '../rendition/child.ts';
import type { ByteSource, DetailsKind, FileDetails } from './details.ts';
import type { BytesMessage, DetailsRequest, ProcessMessage } from './reader-process.ts';

/** Reads what files say of themselves. */
export interface DetailsReader {
  /**
   * Returns what a file says of itself: nothing if it cannot be understood, takes too long, or needs too much memory.
   * Throws the error of a read of the source, the reason of `signal`, and an Error if no process can be started.
   */
  read(source: ByteSource, kind: DetailsKind, signal?: AbortSignal): Promise<FileDetails>;
  /** Ends the process, also in the middle of a file. */
  stop(): Promise<void>;
}

/** The limits of a reader, and where it finds programs. */
export interface DetailsLimits {
  /** Maximum time for one file, reads of its bytes included, and as much before the process asks for any. */
  timeoutMs: number;
  /** Maximum number of bytes that are read of one file. */
  readBytesMax: number;
  /** Maximum number of reads of one file. */
  readsMax: number;
  /** Memory of the process, besides the bytes that it has read. */
  heapMiB: number;
  /** Time without work after which the process ends. */
  idleMs: number;
  /** The directories of programs, as in `PATH`: without `ffprobe`, some videos have no details. */
  searchPath: string;
}

const LIMITS: DetailsLimits = {
  timeoutMs: 10_000,
  readBytesMax: 40 * 1024 * 1024,
  readsMax: 1000,
  heapMiB: 128,
  idleMs: 10_000,
  searchPath: '',
};

/**
 * Creates a reader that reads one file after the other in a process of low priority, so that a file that is made to
 * trouble its reader troubles nothing else: one byte changed in a video made a parser allocate 4 GiB. A thread would not
 * do, because V8 may end its whole process when memory runs out. The process starts with the first file, and again when
 * it has ended.
 */
export function createDetailsReader(changes: Partial<DetailsLimits> = {}): DetailsReader {
  const limits = { ...LIMITS, ...changes };
  const queue = createChildQueue(() => startProcess(limits), limits.idleMs);
  return {
    read: (source, kind, signal) =>
      queue.run((child) => readIn(child, { source, kind, signal, limits }), signal),
    stop: queue.stop,
  };
}

function startProcess({ heapMiB, searchPath }: DetailsLimits): ChildProcess {
  const child = fork(new URL('./reader-process.ts', import.meta.url), [], {
    // Keeps bytes.
    serialization: 'advanced',
    execArgv: [`--max-old-space-size=${heapMiB}`, '--max-semi-space-size=4'],
    env: { ...childEnvironment(), PATH: searchPath },
    // What parsers print about a stranger's file does not belong in the log.
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  // It could not be started, or its channel is broken.
  child.on('error', () => child.kill('SIGKILL'));
  keepAlive(child, false);
  return child;
}

interface Work {
  source: ByteSource;
  kind: DetailsKind;
  signal: AbortSignal | undefined;
  limits: DetailsLimits;
}

async function readIn(
  child: ChildProcess,
  { source, kind, signal, limits }: Work,
): Promise<Outcome<FileDetails>> {
  const outcome = Promise.withResolvers<Outcome<FileDetails>>();
  const giveUp = () => outcome.resolve({ result: {}, isAlive: false });
  const fail = (error: unknown) => outcome.resolve({ result: toError(error), isAlive: false });
  const onAbort = () => fail(signal?.reason);
  const readLimited = limitReads(source, limits);
  const timer = setTimeout(giveUp, limits.timeoutMs);
  // The start of the process does not count.
  child.once('message', () => timer.refresh());
  const onMessage = (message: ProcessMessage) => {
    if ('details' in message) outcome.resolve({ result: message.details, isAlive: true });
    else readLimited(message).then((bytes) => send(child, { bytes }), fail);
  };
  child.on('message', onMessage).on('exit', giveUp).on('error', fail);
  keepAlive(child, true);
  signal?.addEventListener('abort', onAbort);
  try {
    send(child, { kind, sizeBytes: source.sizeBytes });
    return await outcome.promise;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
    child.off('message', onMessage).off('exit', giveUp).off('error', fail);
    keepAlive(child, false);
  }
}

/** Returns a function that reads bytes of a source within the limits, and returns null beyond them. */
function limitReads(source: ByteSource, { readBytesMax, readsMax }: DetailsLimits) {
  let bytesLeft = readBytesMax;
  let readsLeft = readsMax;
  return async ({ position, lengthBytes }: { position: number; lengthBytes: number }) => {
    bytesLeft -= Math.min(lengthBytes, source.sizeBytes);
    if (bytesLeft < 0 || readsLeft-- <= 0) return null;
    return source.read(position, lengthBytes);
  };
}

function send(child: ChildProcess, message: DetailsRequest | BytesMessage): void {
  // A process that has just ended is reported by `exit`.
  child.send(message, () => undefined);
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error('The read was aborted.', { cause: error });
}
