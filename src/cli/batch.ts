import type { UploadOptions } from '../client/chunk.ts';
import type { UploadedMedia } from '../client/operation.ts';
import type { UploadClient } from '../client/upload-client.ts';
import { UploadError } from '../client/upload-error.ts';
import { CommandError, type FailureList } from './failure.ts';
import type { LocalFile } from './local-file.ts';
import { startProgressBar } from './progress-bar.ts';

/** Files that are sent one after the other, and what is done with what comes of each. */
export interface Batch {
  files: readonly LocalFile[];
  /** Of every file. */
  options: UploadOptions;
  onStored: (file: LocalFile, media: UploadedMedia) => void;
  failures: FailureList;
}

/** What the next file would meet with too. */
const NOT_OF_ONE_FILE = ['UNREACHABLE', 'UNAVAILABLE', 'TOO_MANY_REQUESTS', 'NOT_AUTHENTICATED'];

/**
 * Sends files; one that fails does not keep the others. Throws UploadError when the server is what
 * fails, and CommandError when the user interrupts: what was sent of the file is deleted first.
 */
export async function sendBatch(client: UploadClient, batch: Batch): Promise<void> {
  await untilInterrupted(async (signal) => {
    for (const [index, file] of batch.files.entries()) {
      signal.throwIfAborted();
      // A name may hold what a terminal obeys.
      const name = file.filename.replace(/\p{Cc}/gu, '?');
      const label = `${name} (${index + 1}/${batch.files.length})`;
      try {
        batch.onStored(file, await sendFile(client, file, label, { ...batch.options, signal }));
      } catch (error) {
        if (!(error instanceof UploadError)) throw error;
        if (NOT_OF_ONE_FILE.includes(error.code)) throw error;
        batch.failures.add(`${file.path}: ${error.message}`);
        // Trying again will not help it: the server need not keep the bytes until they expire.
        if (error.uploadId !== null) await client.abort(error.uploadId).catch(() => {});
      }
    }
  });
}

async function sendFile(
  client: UploadClient,
  { blob, filename }: LocalFile,
  label: string,
  options: UploadOptions,
): Promise<UploadedMedia> {
  const bar = startProgressBar(label, blob.size);
  try {
    return await client.upload(blob, {
      ...options,
      filename,
      onProgress: ({ sentBytes }) => bar.update(sentBytes),
      onRetry: ({ error, delayMs }) =>
        bar.note(`| ${error.code}, again in ${Math.ceil(delayMs / 1000)} s`),
    });
  } finally {
    bar.stop();
  }
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The first signal lets the work end decently; a second one ends the process as always. */
async function untilInterrupted(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const controller = new AbortController();
  const interrupt = () => {
    release();
    controller.abort(new CommandError('interrupted'));
  };
  const release = () => {
    for (const name of SIGNALS) process.off(name, interrupt);
  };
  for (const name of SIGNALS) process.on(name, interrupt);
  await work(controller.signal).finally(release);
}
