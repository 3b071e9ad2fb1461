import type { FastifyReply } from 'fastify';
import type { Context } from '../../domain/context.ts';
import { type ArchiveEntry, archiveEntries, contextOfOrder } from '../../domain/file/archive.ts';
import { ARCHIVE_PATH, decodeOrder } from '../../domain/file/archive-url.ts';
import type { Call } from '../../http/dialect.ts';
import { contentDisposition } from '../../http/file/disposition.ts';
import { HttpError } from '../../http/http-error.ts';
import { sendBody } from '../../http/send-body.ts';
import type { TakeSlot } from '../../http/slot.ts';
import { isSigned, queryOf } from './signed.ts';
import { toZip } from './zip.ts';

/**
 * Sends the archive that a signed URL names. Throws HttpError for a URL that is not signed, and as `isSigned`;
 * NotAuthenticatedError if the viewer who made it has lost its credential, and TooManyRequestsError.
 */
export async function sendArchive(call: Call, takeSlot: TakeSlot): Promise<FastifyReply> {
  const { ctx, request, reply } = call;
  reply.header('cache-control', 'private, no-store');
  if (!isSigned(call, ARCHIVE_PATH)) {
    const message = 'An archive has a signed URL: `createArchiveUrl` returns it.';
    throw new HttpError(403, 'SIGNATURE_REQUIRED', message);
  }
  const order = decodeOrder(String(queryOf(call).of));
  const own = await contextOfOrder(ctx, order);
  reply.headers({
    'content-type': 'application/zip',
    'content-disposition': contentDisposition('attachment', order.name),
    'accept-ranges': 'none',
    // Some proxies hold back a response until they have a part of it.
    'x-accel-buffering': 'no',
  });
  if (request.method === 'HEAD') return reply.send();
  reply.raw.once('close', takeObserved(own, takeSlot));
  const entries = archiveEntries(ctx, order);
  // What fails before the first file is still an answer with a status.
  const first = await entries.next();
  return sendBody(reply, toZip(startingWith(first, entries)), null);
}

function takeObserved(ctx: Context, takeSlot: TakeSlot): () => void {
  try {
    return takeSlot(ctx);
  } catch (error) {
    ctx.observer.refused('archives');
    throw error;
  }
}

async function* startingWith(
  first: IteratorResult<ArchiveEntry>,
  others: AsyncGenerator<ArchiveEntry>,
): AsyncGenerator<ArchiveEntry> {
  if (first.done) return;
  yield first.value;
  yield* others;
}
