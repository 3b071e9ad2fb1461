import type { Context } from '../context.ts';
import { NotFoundError } from '../error.ts';
import type { UploadEvent } from '../event/event.ts';
import { findUploadSession, type UploadSession } from './session.ts';

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
