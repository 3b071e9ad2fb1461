import type { Context } from '../../domain/context.ts';
import { DomainError } from '../../domain/error.ts';
import type { JobArguments } from '../../domain/job/class.ts';
import { findJob } from '../../domain/job/job.ts';
import type { Media } from '../../domain/tree/media.ts';
import { checkImport, findImported, type Import, importFile } from '../../domain/upload/import.ts';
import { ROLES, SYSTEM, type Viewer } from '../../domain/viewer/viewer.ts';
import { parseAllowedHosts } from '../../outbound/address.ts';
import { createOutbound } from '../../outbound/client.ts';
import { type DownloadOptions, startDownload } from '../../outbound/download.ts';
import { PermanentError, type Run, type Task } from '../task.ts';

/** `import-url` with other limits. (Default: those of `startDownload`) */
export function createImportUrl(limits: Omit<DownloadOptions, 'signal'> = {}): Task<'import-url'> {
  return async (ctx, args, run) => {
    const found = await findJob(ctx, { id: run.jobId });
    // Whoever has deleted the job wants nothing of it.
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
      // What the rules of this server refuse, they refuse again.
      throw new PermanentError(error.message, { cause: error });
    }
  };
}

/**
 * Fetches a file that somebody has named and makes a media of theirs of it: not in the request that asks for it,
 * which would have to wait for as long as another server likes. Of one job comes one media, also when it is run
 * again after a crash.
 */
export const importUrl = createImportUrl();

/** Who started a job may do what they could then; the server's own are the server's. */
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
  // Before anything is fetched for nothing.
  await checkImport(ctx, job);
  const allowed = parseAllowedHosts(ctx.settings.outboundAllowedHosts);
  const outbound = createOutbound({ allowed });
  try {
    const download = await startDownload(outbound, url, { ...limits, signal });
    const bytes = counted(download.bytes, download.sizeBytes, progress);
    const name = filename || download.filename;
    return await importFile(ctx, job, { ...download, bytes, filename: name }, signal);
  } finally {
    await outbound.close();
  }
}

/** Without a size there is no telling how far it has come. */
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
