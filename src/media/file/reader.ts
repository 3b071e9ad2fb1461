import { Worker } from 'node:worker_threads';
import { childEnvironment } from '../../lib/child-environment.ts';
import type { ByteSource, DetailsKind, FileDetails } from './details.ts';
import type { BytesMessage, DetailsRequest, ThreadMessage } from './reader-thread.ts';

/** Reads what files say of themselves. */
export interface DetailsReader {
  /**
   * Returns what a file says of itself: nothing if it cannot be understood, takes too long, or needs too much memory.
   * Throws the error of a read of the source, and the reason of `signal`.
   */
  read(source: ByteSource, kind: DetailsKind, signal?: AbortSignal): Promise<FileDetails>;
  /** Ends the thread, also in the middle of a file. */
  stop(): Promise<void>;
}

/** The limits of a reader. */
export interface DetailsLimits {
  /** Maximum time for one file, reads of its bytes included. */
  timeoutMs: number;
  /** Maximum number of bytes that are read of one file. */
  readBytesMax: number;
  /** Maximum number of reads of one file. */
  readsMax: number;
  /** Memory of the thread, besides the bytes that it has read. */
  heapMiB: number;
  /** Time without work after which the thread ends. */
  idleMs: number;
}

const LIMITS: DetailsLimits = {
  timeoutMs: 15_000,
  readBytesMax: 40 * 1024 * 1024,
  readsMax: 1000,
  heapMiB: 128,
  idleMs: 10_000,
};

/**
 * Creates a reader that reads one file after the other in a thread of its own, so that a file that is made to trouble
 * its reader troubles nothing else. The thread starts with the first file, and again when it has ended.
 */
export function createDetailsReader(changes: Partial<DetailsLimits> = {}): DetailsReader {
  const limits = { ...LIMITS, ...changes };
  let current: Worker | undefined;
  let idle: NodeJS.Timeout | undefined;
  let last: Promise<unknown> = Promise.resolve();
  async function end(): Promise<void> {
    clearTimeout(idle);
    const worker = current;
    current = undefined;
    await worker?.terminate();
  }
  async function readNext(source: ByteSource, kind: DetailsKind, signal?: AbortSignal) {
    signal?.throwIfAborted();
    clearTimeout(idle);
    current ??= startThread(limits);
    const { details, isAlive } = await readIn(current, { source, kind, signal, limits });
    if (!isAlive) await end();
    else idle = setTimeout(end, limits.idleMs).unref();
    if (details instanceof Error) throw details;
    return details;
  }
  return {
    read(source, kind, signal) {
      const details = last.then(() => readNext(source, kind, signal));
      last = details.catch(() => undefined);
      return details;
    },
    stop: end,
  };
}

function startThread({ heapMiB }: DetailsLimits): Worker {
  const worker = new Worker(new URL('./reader-thread.ts', import.meta.url), {
    env: childEnvironment(),
    execArgv: [],
    // What parsers print about a stranger's file does not belong in the log.
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: heapMiB, maxYoungGenerationSizeMb: 16 },
  });
  worker.stdout.resume();
  worker.stderr.resume();
  // Without a listener, an error would end the process. Who waits for the thread has listeners of its own.
  worker.on('error', () => undefined);
  worker.unref();
  return worker;
}

interface Work {
  source: ByteSource;
  kind: DetailsKind;
  signal: AbortSignal | undefined;
  limits: DetailsLimits;
}

interface Outcome {
  /** An Error: that of the source, or the reason of the signal. */
  details: FileDetails | Error;
  /** Whether the thread waits for more work; otherwise it has ended, or must be ended. */
  isAlive: boolean;
}

async function readIn(worker: Worker, { source, kind, signal, limits }: Work): Promise<Outcome> {
  const outcome = Promise.withResolvers<Outcome>();
  const giveUp = () => outcome.resolve({ details: {}, isAlive: false });
  const fail = (error: unknown) => outcome.resolve({ details: toError(error), isAlive: false });
  const onAbort = () => fail(signal?.reason);
  const readLimited = limitReads(source, limits);
  const onMessage = (message: ThreadMessage) => {
    if ('details' in message) outcome.resolve({ details: message.details, isAlive: true });
    else readLimited(message).then((bytes) => post(worker, bytes), fail);
  };
  const timer = setTimeout(giveUp, limits.timeoutMs);
  worker.on('message', onMessage).on('exit', giveUp).ref();
  signal?.addEventListener('abort', onAbort);
  try {
    worker.postMessage({ kind, sizeBytes: source.sizeBytes } satisfies DetailsRequest);
    return await outcome.promise;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
    worker.off('message', onMessage).off('exit', giveUp).unref();
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

function post(worker: Worker, bytes: BytesMessage): void {
  worker.postMessage(bytes, bytes === null ? [] : [bytes.buffer]);
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error('The read was aborted.', { cause: error });
}
