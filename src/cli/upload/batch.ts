import type { UploadedMedia } from '../../client/operation.ts';
import type { UploadOptions } from '../../client/upload/chunk.ts';
import type { UploadClient } from '../../client/upload/upload-client.ts';
import { UploadError } from '../../client/upload/upload-error.ts';
import { CommandError, type FailureList } from '../failure.ts';
import type { LocalFile } from './local-file.ts';
import { startProgressBar } from './progress-bar.ts';

/** Files to upload one after the other, with callbacks for the results. */
export interface Batch {
  files: readonly LocalFile[];
  /** Options of every file. */
  options: UploadOptions;
  onStored: (file: LocalFile, media: UploadedMedia) => void;
  failures: FailureList;
}

/** Error codes that the next file would get too. */
const NOT_OF_ONE_FILE = ['UNREACHABLE', 'UNAVAILABLE', 'TOO_MANY_REQUESTS', 'NOT_AUTHENTICATED'];

/**
 * Uploads the files; continues after one that fails. Throws UploadError if the server fails, and CommandError if the
 * user interrupts, after the bytes of the current file have been deleted on the server.
 */
export async function sendBatch(client: UploadClient, batch: Batch): Promise<void> {
  await untilInterrupted(async (signal) => {
    for (const [index, file] of batch.files.entries()) {
      signal.throwIfAborted();
      // A name may contain escape sequences of a terminal.
      const name = file.filename.replace(/\p{Cc}/gu, '?');
      const label = `${name} (${index + 1}/${batch.files.length})`;
      try {
        batch.onStored(file, await sendFile(client, file, label, { ...batch.options, signal }));
      } catch (error) {
        if (!(error instanceof UploadError)) throw error;
        if (NOT_OF_ONE_FILE.includes(error.code)) throw error;
        batch.failures.add(`${file.path}: ${error.message}`);
        // A retry cannot succeed, so the server need not keep the bytes until they expire.
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
        bar.note(`| ${error.code}, retry in ${Math.ceil(delayMs / 1000)} s`),
    });
  } finally {
    bar.stop();
  }
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Runs work and aborts it on the first signal; a second signal ends the process as usual. */
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
