// A process that draws previews, one after the other. It ends with its parent, which closes the channel between them.
import { Worker } from 'node:worker_threads';
import { ignoreSignals, lowerPriority } from '../rendition/low-priority.ts';
import { type DrawLimits, NoImageError, type PreviewDecoder, PreviewError } from './decoder.ts';
import { drawFile, type Preview } from './draw-file.ts';
import type { Bounds, WatchdogMessage } from './watchdog.ts';

/** Asks the process for the preview of a file. */
export interface PreviewRequest {
  /** URL of the module with the decoders. */
  registry: string;
  decoder: string;
  path: string;
  limits: DrawLimits;
  bounds: Bounds;
}

/**
 * The answer of the process: a preview, or the error that prevented it. `reason`: null if users may not see the error.
 * `isEmpty`: whether the file contains nothing to draw.
 */
export type PreviewAnswer =
  | { preview: Preview }
  | { reason: string | null; message: string; isEmpty: boolean };

async function answer(request: PreviewRequest): Promise<PreviewAnswer> {
  try {
    return { preview: await draw(request) };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return {
      reason: error instanceof PreviewError ? message : null,
      message,
      isEmpty: error instanceof NoImageError,
    };
  }
}

async function draw({ registry, decoder, path, limits }: PreviewRequest): Promise<Preview> {
  const { DECODERS } = (await import(registry)) as { DECODERS: readonly PreviewDecoder[] };
  return drawFile(DECODERS, decoder, path, limits);
}

lowerPriority();
ignoreSignals();
const watchdog = new Worker(new URL('./watchdog.ts', import.meta.url), {
  workerData: process.ppid,
});
watchdog.unref();
const watch = (message: WatchdogMessage) => watchdog.postMessage(message);
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
process.on('message', async (request: PreviewRequest) => {
  watch(request.bounds);
  const message = await answer(request);
  watch(null);
  // Nobody waits for the answer if the parent has died meanwhile.
  if (process.connected) process.send?.(message, () => undefined);
});
