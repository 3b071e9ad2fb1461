import {
  endSession,
  isSessionOpen,
  listSessionBytes,
  type SessionBytes,
} from '../../store/fsck/session-bytes.ts';
import type { Context } from '../context.ts';
import { BATCH_SIZE, inBatches, olderThan } from '../file/sweep.ts';
import { type CheckOptions, type Difference, difference } from './difference.ts';
import { createOrphanCheck } from './orphan.ts';

/** Compares the staged bytes with the open upload sessions, both ways, in bounded memory. */
export async function* checkStaged(
  ctx: Context,
  options: CheckOptions,
): AsyncGenerator<Difference> {
  yield* checkSessions(ctx, options);
  const orphans = createOrphanCheck(ctx, options, {
    kind: 'orphaned-staged',
    message: 'no upload session refers to the staged bytes',
    exists: async (key) => (await ctx.staging.stat(key)) !== null,
    remove: (key) => ctx.staging.discard(key),
  });
  for await (const batch of inBatches(ctx.staging.list(), options.signal)) {
    yield* orphans.add(olderThan(ctx, ctx.clock() - options.graceMs, batch));
  }
  yield* orphans.end();
}

async function* checkSessions(
  ctx: Context,
  { repair, signal }: CheckOptions,
): AsyncGenerator<Difference> {
  for (let after = ''; ; ) {
    const sessions = await listSessionBytes(ctx.db, after, BATCH_SIZE);
    for (const session of sessions) {
      signal?.throwIfAborted();
      if (await hasBytes(ctx, session)) continue;
      // Bytes are deleted after their session has ended.
      if (!(await isSessionOpen(ctx.db, session.uploadId))) continue;
      if (repair) await endSession(ctx.db, session.uploadId, ctx.clock());
      yield difference(
        'lost-upload',
        `acknowledged bytes of upload session ${session.uploadId} are missing`,
        {
          name: session.filename,
          blobKey: session.blobKey,
          repair: repair ? 'ended the session; its client must start again' : null,
        },
      );
    }
    if (sessions.length < BATCH_SIZE) return;
    after = sessions.at(-1)?.blobKey ?? after;
  }
}

/** Tells whether all acknowledged bytes are staged, or stored already: staged bytes that are stored are moved. */
async function hasBytes(
  { staging, blobs }: Context,
  { blobKey, offsetBytes }: SessionBytes,
): Promise<boolean> {
  const found = (await staging.stat(blobKey)) ?? (await blobs.stat(blobKey));
  return (found?.sizeBytes ?? -1) >= offsetBytes;
}
