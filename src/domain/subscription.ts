import { authorize, isVisible, sightOf } from './access.ts';
import type { Context } from './context.ts';
import { NotFoundError } from './error.ts';
import type { JobEvent, MediaChangeKind, MediaEvent, UploadEvent } from './event.ts';
import type { Job } from './job.ts';
import { findMatchingJob, type JobFilter, toStored } from './job-list.ts';
import { findMedia, type Media } from './media.ts';
import { findUploadSession, type UploadSession } from './upload-session.ts';

/**
 * Where an upload stands: at once, and after each chunk that is safe; ends when it is completed or aborted.
 * Like all of these, ends with the signal. Throws NotFoundError
 * for what is not open, or not the viewer's own.
 */
export async function watchUpload(
  ctx: Context,
  uploadId: string,
  signal: AbortSignal,
): Promise<AsyncIterable<UploadSession>> {
  // Before the session is read: what happens in between would be lost.
  const events = ctx.events.subscribe(
    (event): event is UploadEvent => event.type === 'upload' && event.uploadId === uploadId,
    signal,
  );
  const session = await findUploadSession(ctx, uploadId);
  if (session !== null) return progressFrom(session, events);
  await events.return?.();
  throw new NotFoundError('upload', uploadId);
}

async function* progressFrom(
  session: UploadSession,
  events: AsyncIterable<UploadEvent>,
): AsyncGenerator<UploadSession> {
  let { offsetBytes } = session;
  yield session;
  for await (const { session, isOver } of events) {
    // A chunk may have been both in what was read first and in an event after it.
    if (session !== null && session.offsetBytes > offsetBytes) {
      offsetBytes = session.offsetBytes;
      yield session;
    }
    if (isOver) return;
  }
}

/**
 * Jobs that are new or have changed, if the filter lets them through as they are by then; without `id`, any.
 * Several changes between two reads are one. Throws as `authorize`, and InvalidInputError for the filter.
 */
export function watchJobs(
  ctx: Context,
  { id, filter }: { id: number | undefined; filter: JobFilter },
  signal: AbortSignal,
): AsyncIterable<Job> {
  authorize(ctx, 'job.read');
  toStored(filter);
  const events = ctx.events.subscribe(
    (event): event is JobEvent => event.type === 'job' && (id === undefined || event.id === id),
    signal,
  );
  return matchingJobs(ctx, filter, events);
}

async function* matchingJobs(
  ctx: Context,
  filter: JobFilter,
  events: AsyncIterable<JobEvent>,
): AsyncGenerator<Job> {
  const ahead = createProgressMemory();
  for await (const { id, progress = 0 } of events) {
    const job = await findMatchingJob(ctx, id, filter);
    if (job?.status === 'running') yield ahead.toLatest(job, progress);
    else {
      ahead.forget(id);
      if (job !== null) yield job;
    }
  }
}

/** What has been told of runs that go on is ahead of what is written, and never goes back. */
function createProgressMemory() {
  const told = new Map<number, Pick<Job, 'startedAt' | 'progress'>>();
  return {
    toLatest(job: Job, progress: number): Job {
      const before = told.get(job.id);
      const isSameRun = before?.startedAt?.getTime() === job.startedAt?.getTime();
      const known = isSameRun ? (before?.progress ?? 0) : 0;
      const latest = { ...job, progress: Math.max(job.progress, progress, known) };
      told.set(job.id, { startedAt: job.startedAt, progress: latest.progress });
      return latest;
    },
    forget: (id: number) => void told.delete(id),
  };
}

/** What has become of a media. */
export interface MediaChange {
  kind: MediaChangeKind;
  id: number;
  /** As it is by now; null when it is gone. */
  media: Media | null;
}

/**
 * What becomes of media that the viewer may see; with `folderId`, of those directly in that folder, or just
 * moved out of it. Several changes between two reads are one. What goes out of the viewer's sight is
 * deleted, as far as it is told.
 */
export function watchMedias(
  ctx: Context,
  { folderId }: { folderId: number | undefined },
  signal: AbortSignal,
): AsyncIterable<MediaChange> {
  const events = ctx.events.subscribe(
    (event): event is MediaEvent =>
      event.type === 'media' && (folderId === undefined || event.folderIds.includes(folderId)),
    signal,
  );
  return visibleChanges(ctx, events);
}

async function* visibleChanges(
  ctx: Context,
  events: AsyncIterable<MediaEvent>,
): AsyncGenerator<MediaChange> {
  const { publicOnly, within } = sightOf(ctx);
  const seesAll = !publicOnly && within === undefined;
  for await (const { kind, id, before } of events) {
    const media = kind === 'deleted' ? null : await findMedia(ctx, { id });
    if (media !== null) yield { kind, id, media };
    // What is gone by now has an event of its own; what is out of sight has none.
    else if ((kind === 'deleted' || !seesAll) && isVisible(ctx, before)) {
      yield { kind: 'deleted', id, media };
    }
  }
}
