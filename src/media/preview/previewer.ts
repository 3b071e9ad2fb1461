import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createChildQueue, keepAlive, type Outcome } from '../rendition/child.ts';
import { startProcess } from './child.ts';
import { NoImageError, PreviewError } from './decoder.ts';
import type { Preview } from './draw-file.ts';
import type { PreviewAnswer, PreviewRequest } from './preview-process.ts';
import { SIGNALS } from './signal.ts';

/** A file to draw. */
export interface PreviewFile {
  path: string;
  mimeType: string;
  /** The name of the decoder. */
  decoder: string;
}

/** Draws previews of files. */
export interface Previewer {
  /**
   * Draws a file. Throws PreviewError if it cannot be drawn within the limits (NoImageError if it contains no image), the
   * reason of `signal`, and an Error if the process crashes or cannot be started.
   */
  draw(file: PreviewFile, signal?: AbortSignal): Promise<Preview>;
  /** Ends the process, also in the middle of a file. */
  stop(): Promise<void>;
}

/** The limits of a previewer. */
export interface PreviewLimits {
  /** Maximum time for one file, the start of the process included. */
  timeoutMs: number;
  /** Maximum time of the processor for one file. */
  cpuMs: number;
  /** Maximum resident memory of the process. Programs that it starts have limits of their own. */
  memoryBytesMax: number;
  /** Maximum length of the longer side of a preview, in pixels. */
  sideMax: number;
  /** Maximum number of pixels of an image in a file. */
  pixelsMax: number;
  /** Time without work after which the process ends. */
  idleMs: number;
}

const LIMITS: PreviewLimits = {
  // The process gets a tenth of a busy core.
  timeoutMs: 120_000,
  cpuMs: 30_000,
  memoryBytesMax: 1024 * 1024 * 1024,
  sideMax: 2048,
  pixelsMax: 100_000_000,
  idleMs: 10_000,
};

/** What a previewer is made of. */
export interface PreviewerOptions {
  /** The directories of programs, as in `PATH`. */
  searchPath: string;
  /** URL of the module with the decoders. (Default: that of the registry) */
  registry?: string;
  limits?: Partial<PreviewLimits>;
}

/**
 * Creates a previewer that draws one file after the other in a process of low priority. A file that is made to trouble
 * its decoder ends the process, and nothing else. The process starts with the first file, and again when it has ended;
 * it ends after a file that could not be drawn, because a decoder may be in any state then.
 */
export function createPreviewer(options: PreviewerOptions): Previewer {
  const limits = { ...LIMITS, ...options.limits };
  const registry = options.registry ?? new URL('./registry.ts', import.meta.url).href;
  const queue = createChildQueue(() => startProcess(options.searchPath), limits.idleMs);
  return {
    // Deletes the directory after the queue has ended the process, whose programs could still write to it.
    draw: (file, signal) =>
      withDirectory((directory) => {
        const work = { registry, file, limits, directory, signal };
        return queue.run((child) => drawIn(child, work), signal);
      }),
    stop: queue.stop,
  };
}

interface Work {
  registry: string;
  file: PreviewFile;
  limits: PreviewLimits;
  directory: string;
  signal: AbortSignal | undefined;
}

async function drawIn(
  child: ChildProcess,
  { registry, file, limits, directory, signal }: Work,
): Promise<Outcome<Preview>> {
  const outcome = Promise.withResolvers<Preview | Error>();
  const onAbort = () => outcome.resolve(toError(signal?.reason));
  const onExit = (code: number | null, name: string | null) =>
    outcome.resolve(exitError(name ?? code));
  const onMessage = (message: PreviewAnswer) =>
    outcome.resolve('preview' in message ? message.preview : failureOf(message));
  const timer = setTimeout(() => outcome.resolve(tooLong()), limits.timeoutMs);
  child.on('message', onMessage).on('exit', onExit).on('error', outcome.resolve);
  keepAlive(child, true);
  signal?.addEventListener('abort', onAbort);
  try {
    const { timeoutMs, cpuMs, memoryBytesMax, sideMax, pixelsMax } = limits;
    const { path, mimeType, decoder } = file;
    const request: PreviewRequest = {
      ...{ registry, decoder, path, bounds: { memoryBytesMax, cpuMs } },
      limits: { mimeType, sideMax, pixelsMax, timeoutMs, memoryBytesMax, directory },
    };
    // A process that has just ended is reported by `exit`.
    child.send(request, () => undefined);
    const result = await outcome.promise;
    // The decoder of a file without an image has read it to its end.
    return { result, isAlive: !(result instanceof Error) || result instanceof NoImageError };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
    child.off('message', onMessage).off('exit', onExit).off('error', outcome.resolve);
    keepAlive(child, false);
  }
}

function failureOf({
  reason,
  message,
  isEmpty,
}: Exclude<PreviewAnswer, { preview: Preview }>): Error {
  if (isEmpty) return new NoImageError(message);
  const cause = new Error(message);
  return new PreviewError(reason ?? 'The file cannot be read by its decoder.', { cause });
}

function exitError(how: string | number | null): Error {
  if (how === SIGNALS.time) return tooLong();
  if (how === SIGNALS.memory) return new PreviewError('Drawing the file needs too much memory.');
  return new Error('The process that draws previews has ended.', { cause: how });
}

function tooLong(): PreviewError {
  return new PreviewError('Drawing the file takes too long.');
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error('The drawing was aborted.', { cause: error });
}

/** Runs `work` with an empty directory, and deletes it afterwards. */
async function withDirectory<T>(work: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'trivium-preview-'));
  try {
    return await work(directory);
  } finally {
    // A program that has just been killed may still end a write.
    await rm(directory, { recursive: true, force: true, maxRetries: 3 });
  }
}
