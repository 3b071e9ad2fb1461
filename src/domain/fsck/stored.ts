import type { BlobEntry } from '../../blob/blob-store.ts';
import type { BlobKeyRange } from '../../store/file/blob-key.ts';
import {
  type BlobReference,
  findBlobReference,
  listBlobReferences,
} from '../../store/fsck/blob-reference.ts';
import type { Context } from '../context.ts';
import { noteDamagedBytes, noteGoodBytes } from '../file/damage.ts';
import { BATCH_SIZE, inBatches, olderThan } from '../file/sweep.ts';
import { type CheckOptions, type Difference, damage, difference, subjectOf } from './difference.ts';
import { createOrphanCheck } from './orphan.ts';
import { verifyBytes } from './verify.ts';

/** Compares the stored bytes with the rows that refer to them, both ways, in bounded memory. */
export async function* checkStored(
  ctx: Context,
  options: CheckOptions,
): AsyncGenerator<Difference> {
  const { graceMs, signal } = options;
  const orphans = createOrphanCheck(ctx, options, {
    kind: 'orphaned-blob',
    message: 'no row refers to the stored bytes',
    // Staged bytes in a bucket may be an object already, and no blob yet.
    exists: async (key) =>
      (await ctx.blobs.stat(key)) !== null && (await ctx.staging.stat(key)) === null,
    remove: (key) => ctx.blobs.delete(key),
  });
  let after = '';
  for await (const batch of inBatches(ctx.blobs.list(), signal)) {
    const upTo = batch.length < BATCH_SIZE ? null : (batch.at(-1)?.key ?? null);
    const named = new Set<string>();
    yield* checkRange(ctx, { range: { after, upTo }, batch, named }, options);
    const old = olderThan(ctx, ctx.clock() - graceMs, batch);
    yield* orphans.add(old.filter((key) => !named.has(key)));
    options.progress.blobs += batch.length;
    after = upTo ?? after;
  }
  yield* orphans.end();
}

interface Part {
  range: BlobKeyRange;
  /** All blobs whose keys are in the range. */
  batch: readonly BlobEntry[];
  /** Receives the keys that rows refer to. */
  named: Set<string>;
}

async function* checkRange(
  ctx: Context,
  { range, batch, named }: Part,
  options: CheckOptions,
): AsyncGenerator<Difference> {
  const sizes = new Map(batch.map(({ key, sizeBytes }) => [key, sizeBytes]));
  let { after } = range;
  for (;;) {
    const references = await listBlobReferences(ctx.db, { ...range, after }, BATCH_SIZE);
    for (const reference of references) {
      const { blobKey } = reference;
      if (sizes.has(blobKey)) named.add(blobKey);
      const found = await checkReference(ctx, reference, sizes.get(blobKey), options);
      if (found !== null) yield found;
      options.signal?.throwIfAborted();
    }
    if (references.length < BATCH_SIZE) return;
    after = references.at(-1)?.blobKey ?? after;
  }
}

async function checkReference(
  ctx: Context,
  reference: BlobReference,
  listedBytes: number | undefined,
  { rehash, repair, signal, progress }: CheckOptions,
): Promise<Difference | null> {
  const { sizeBytes, damagedAt } = reference;
  if (!rehash && listedBytes === sizeBytes && damagedAt === null) return null;
  const flaw = await verifyBytes(ctx, reference, { withDigests: rehash, signal });
  if (rehash) progress.bytesRead += listedBytes ?? 0;
  if (flaw !== null) {
    if (repair) await noteDamagedBytes(ctx, reference);
    return damage(reference, flaw, repair ? repairOf(reference) : null);
  }
  return damagedAt === null ? null : checkMark(ctx, reference, { rehash, repair });
}

function repairOf({ kind, damagedAt }: BlobReference): string | null {
  if (kind === 'rendition') return 'deleted; the next request renders it again';
  return damagedAt === null ? 'marked; only a backup has the bytes' : null;
}

/** Returns the difference of a marked file whose bytes have, at least, the right size. */
async function checkMark(
  ctx: Context,
  reference: BlobReference,
  { rehash, repair }: Pick<CheckOptions, 'rehash' | 'repair'>,
): Promise<Difference | null> {
  const damagedAt = (await findBlobReference(ctx.db, reference))?.damagedAt ?? null;
  if (damagedAt === null) return null;
  const subject = subjectOf(reference);
  if (!rehash) {
    const since = new Date(damagedAt).toISOString();
    return difference('damaged-file', `the bytes are marked as damaged since ${since}`, subject);
  }
  if (repair) await noteGoodBytes(ctx, reference);
  return difference('stale-mark', 'the bytes are marked as damaged, but are good', {
    ...subject,
    repair: repair ? 'removed the mark' : null,
  });
}
