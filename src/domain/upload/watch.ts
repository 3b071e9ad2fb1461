import type { Context } from '../context.ts';
import { NotFoundError } from '../error.ts';
import type { UploadEvent } from '../event/event.ts';
import { findUploadSession, type UploadSession } from './session.ts';

/**
 * Yields the state of an upload: at once, and after each acknowledged chunk. Ends when the upload is completed or
 * aborted, and when the signal aborts. Throws NotFoundError if the upload is not open or belongs to another viewer.
 */
export async function watchUpload(
  ctx: Context,
  uploadId: string,
  signal: AbortSignal,
): Promise<AsyncIterable<UploadSession>> {
  // Before the session is read: events in between would be lost.
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
    // The first read may already include a chunk whose event comes after it.
    if (session !== null && session.offsetBytes > offsetBytes) {
      offsetBytes = session.offsetBytes;
      yield session;
    }
    if (isOver) return;
  }
}
