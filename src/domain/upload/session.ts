import type { Keyset } from '../../store/cursor.ts';
import type { UploadRow } from '../../store/table.ts';
import {
  countOpenUploads,
  findUpload,
  listOpenUploads,
  type OpenUploads,
} from '../../store/upload/upload.ts';
import type { Context } from '../context.ts';
import { DomainError, NotFoundError, UploadCompletedError, UploadExpiredError } from '../error.ts';
import type { UploadEvent } from '../event/event.ts';
import { type Page, type PageArgs, parsePageArgs, toPage } from '../page.ts';
import { isOwner } from '../viewer/access.ts';

/** An open chunked upload. All its bytes before `offsetBytes` are durable. */
export interface UploadSession {
  /** 32 hex digits. The secret with which an anonymous upload is continued. */
  uploadId: string;
  filename: string;
  offsetBytes: number;
  totalBytes: number;
  /** Set by the first chunk; later chunks do not extend it. */
  expiresAt: Date;
}

/** Returns the session if it is open and belongs to the viewer, otherwise null. */
export async function findUploadSession(
  ctx: Context,
  uploadId: string,
): Promise<UploadSession | null> {
  const row = isUploadId(uploadId) ? await findUpload(ctx.db, uploadId) : undefined;
  const isOpen = row?.status === 'open' && row.expires_at > ctx.clock();
  return isOpen && isOwner(ctx, row.owner) ? toSession(row) : null;
}

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

/** The order of a list of sessions: newest first. */
const NEWEST_FIRST: Keyset = {
  name: 'upload sessions',
  columns: [
    { name: 'created_at', type: 'number' },
    { name: 'upload_id', type: 'string' },
  ],
  descending: true,
};

/**
 * Returns a page of the open sessions that the viewer has started, newest first. An anonymous viewer has none: whoever
 * knows the id of an anonymous session may continue it, so nobody is told. Throws InvalidInputError for the page.
 */
export async function listUploadSessions(
  ctx: Context,
  args: PageArgs,
): Promise<Page<UploadSession>> {
  const request = parsePageArgs(args, NEWEST_FIRST);
  const filter = ownOf(ctx);
  const rows =
    filter === null
      ? { rows: [], hasMore: false }
      : await listOpenUploads(ctx.db, filter, NEWEST_FIRST, request);
  return toPage(rows, NEWEST_FIRST, request, toSession);
}

/** Returns the number of sessions that `listUploadSessions` lists. */
export async function countUploadSessions(ctx: Context): Promise<number> {
  const filter = ownOf(ctx);
  return filter === null ? 0 : countOpenUploads(ctx.db, filter);
}

function ownOf({ viewer, clock }: Context): OpenUploads | null {
  return viewer.id === null ? null : { owner: viewer.id, now: clock() };
}

/**
 * Returns the row of an open upload. Throws NotFoundError if it does not belong to the viewer, then UploadExpiredError,
 * then UploadCompletedError.
 */
export async function findOpenUpload(ctx: Context, uploadId: string): Promise<UploadRow> {
  const row = await findOwnUpload(ctx, uploadId);
  requireOpen(ctx, row);
  return row;
}

/** Throws UploadExpiredError or UploadCompletedError unless an upload is open. */
export function requireOpen(ctx: Context, row: UploadRow): void {
  if (row.status === 'expired' || row.expires_at <= ctx.clock()) throw new UploadExpiredError();
  if (row.status === 'completed') throw new UploadCompletedError();
}

/** Returns the error that tells why another process has closed this upload; null if it is still open. */
export async function whyUploadClosed(ctx: Context, uploadId: string): Promise<DomainError | null> {
  try {
    await findOpenUpload(ctx, uploadId);
    return null;
  } catch (error) {
    if (error instanceof DomainError) return error;
    throw error;
  }
}

/** Returns the row of an upload of the viewer, open or not. Throws NotFoundError, also for another viewer's upload. */
export async function findOwnUpload(ctx: Context, uploadId: string): Promise<UploadRow> {
  // PostgreSQL fails on a NUL, which an id from a client may contain.
  const row = isUploadId(uploadId) ? await findUpload(ctx.db, uploadId) : undefined;
  return requireOwnUpload(ctx, uploadId, row);
}

/** Returns the row of an upload if the viewer owns it. Throws NotFoundError. */
export function requireOwnUpload(
  ctx: Context,
  uploadId: string,
  row: UploadRow | undefined,
): UploadRow {
  if (row === undefined || !isOwner(ctx, row.owner)) throw new NotFoundError('upload', uploadId);
  return row;
}

/** Tells whether a text from a client can be the id of an upload. */
export function isUploadId(text: string): boolean {
  return /^[0-9a-f]{32}$/.test(text);
}

/** Converts a row. */
export function toSession(row: UploadRow): UploadSession {
  return {
    uploadId: row.upload_id,
    filename: row.filename,
    offsetBytes: row.offset_bytes,
    totalBytes: row.total_bytes,
    expiresAt: new Date(row.expires_at),
  };
}
