import type { Context } from '../../../domain/context.ts';
import { DomainError } from '../../../domain/error.ts';
import type { JobArguments } from '../../../domain/job/class.ts';
import { findJob } from '../../../domain/job/job.ts';
import { InsufficientStorageError } from '../../../domain/storage-error.ts';
import type { Media } from '../../../domain/tree/media.ts';
import {
  checkImport,
  findImported,
  type Import,
  importFile,
} from '../../../domain/upload/import.ts';
import { ROLES, SYSTEM, type Viewer } from '../../../domain/viewer/viewer.ts';
import { type DownloadOptions, startDownload } from '../../../outbound/download.ts';
import { withOutbound } from '../../outbound.ts';
import { PermanentError, type Run, type Task, TaskError } from '../../task.ts';

/** Creates the task `import-url`. `limits`: default, those of `startDownload`. */
export function createImportUrl(limits: Omit<DownloadOptions, 'signal'> = {}): Task<'import-url'> {
  return async (ctx, args, run) => {
    const found = await findJob(ctx, { id: run.jobId });
    // The job has been deleted: its result is not needed.
    if (found === null) return;
    const job: Import = { id: found.id, uuid: found.uuid, arguments: args };
    const importer = { ...ctx, viewer: toViewer(run.startedBy) };
    try {
      const media =
        (await findImported(importer, job)) ??
        (await fetchAndImport(importer, job, args, run, limits));
      return { media_uuid: media.uuid, media_id: media.id };
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      if (error instanceof InsufficientStorageError) {
        const { message, retryAfterMs } = error;
        throw new TaskError(message, { cause: error, retryAfterMs });
      }
      // The rules of this server would refuse it again.
      throw new PermanentError(error.message, { cause: error });
    }
  };
}

/**
 * Downloads a file from a URL and creates a media item from it, owned by the user who started the job. Not part of
 * that request, which would have to wait for the other server. One job creates one media item, also when it runs
 * again after a crash.
 */
export const importUrl = createImportUrl();

/** Returns the user who started the job, with the role at that time; the server itself for its own jobs. */
function toViewer(startedBy: Run['startedBy']): Viewer {
  if (startedBy === null) return SYSTEM;
  const { id } = startedBy;
  const role = ROLES.find((role) => role === startedBy.role) ?? 'reader';
  return { kind: id.startsWith('key:') ? 'key' : 'user', id, role };
}

async function fetchAndImport(
  ctx: Context,
  job: Import,
  { url, filename }: JobArguments<'import-url'>,
  { signal, progress }: Run,
  limits: Omit<DownloadOptions, 'signal'>,
): Promise<Media> {
  // Before the download, so that a job that must fail fetches nothing.
  await checkImport(ctx, job);
  return withOutbound(ctx, async (outbound) => {
    const download = await startDownload(outbound, url, { ...limits, signal });
    const bytes = counted(download.bytes, download.sizeBytes, progress);
    const name = filename || download.filename;
    return importFile(ctx, job, { ...download, bytes, filename: name }, signal);
  });
}

/** Passes the bytes on and reports progress, if the size is known. */
async function* counted(
  bytes: AsyncIterable<Uint8Array>,
  sizeBytes: number | null,
  progress: (fraction: number) => void,
) {
  let receivedBytes = 0;
  for await (const piece of bytes) {
    receivedBytes += piece.length;
    if (sizeBytes !== null) progress(receivedBytes / sizeBytes);
    yield piece;
  }
}
