import { setTimeout as sleep } from 'node:timers/promises';
import { isSystemError } from '../../blob/disk.ts';
import { findRehashPlace, type RehashPlace, updateRehashPlace } from '../../store/file/damage.ts';
import { type BlobReference, listBlobReferences } from '../../store/fsck/blob-reference.ts';
import type { Context } from '../context.ts';
import { noteDamagedBytes, noteGoodBytes } from '../file/damage.ts';
import { verifyBytes } from './verify.ts';

/** The interval of the runs. */
export const REHASH_EVERY_MS = 10 * 60_000;

/** Maximum duration of a run. The next one continues where it has ended. */
const RUN_MS = REHASH_EVERY_MS / 2;

/** Time after which a run makes room for a job that waits. */
const TURN_MS = 5000;

/** Interval at which a run stores its place, and looks for jobs that wait. */
const PAUSE_MS = 2000;

/** Rest after each piece, as a multiple of the time that it took: requests slow the reading down, not the reverse. */
const REST_FACTOR = 3;

/** After a time in which the server did not run, it reads at most this many times faster until it has caught up. */
const CATCH_UP = 4;

const PAGE_SIZE = 100;
const DAY_MS = 24 * 3_600_000;

/** Options of `rehashNext`. */
export interface RehashOptions {
  signal?: AbortSignal | undefined;
  /** Tells whether another job waits for the end of this run. (Default: never) */
  isWanted?: () => Promise<boolean>;
}

/** What a run has done. */
export interface RehashResult {
  read: number;
  damaged: number;
}

/**
 * Reads the next part of the library, as much as is due to read all of it once in `settings.rehashDays`, and compares
 * digests. Blob keys are random, so an equal part of the keys is an equal part of the files. Marks files whose bytes are
 * damaged, and unmarks those whose bytes are good again. Keeps its place in the database.
 */
export async function rehashNext(ctx: Context, options: RehashOptions = {}): Promise<RehashResult> {
  const { rehashDays } = ctx.settings;
  const result = { read: 0, damaged: 0 };
  if (rehashDays === 0) return result;
  const place = await currentPlace(ctx, rehashDays * DAY_MS);
  const upTo = dueKey(ctx.clock(), place, rehashDays * DAY_MS);
  if (upTo <= place.readUpTo) return result;
  const turn = createTurn(ctx, place, options);
  try {
    for (;;) {
      const range = { after: place.readUpTo, upTo };
      const references = await listBlobReferences(ctx.db, range, PAGE_SIZE);
      for (const reference of references) {
        if (!(await checkReadable(ctx, reference, options.signal))) result.damaged++;
        result.read++;
        place.readUpTo = reference.blobKey;
        if (await turn.isOver()) return result;
      }
      if (references.length < PAGE_SIZE) break;
    }
    place.readUpTo = upTo;
    return result;
  } finally {
    await updateRehashPlace(ctx.db, place);
  }
}

/** The key after all others. */
const LAST_KEY = 'f'.repeat(32);

/** Returns the place, at the first key again if all bytes have been read and their time is over. */
async function currentPlace(ctx: Context, cycleMs: number): Promise<RehashPlace> {
  const { readUpTo, startedAt } = await findRehashPlace(ctx.db);
  const now = ctx.clock();
  if (startedAt === null) return { readUpTo: '', startedAt: now };
  // A start in the future was written while the clock was ahead.
  const isOver = startedAt > now || now >= startedAt + cycleMs;
  if (!isOver) return { readUpTo, startedAt };
  return readUpTo === LAST_KEY
    ? { readUpTo: '', startedAt: now }
    : { readUpTo, startedAt: now - cycleMs };
}

const KEY_SPACE = 2 ** 48;
const SPACE_DIGITS = 12;

/** Returns the key up to which the bytes should have been read by now. */
function dueKey(now: number, { readUpTo, startedAt }: RehashPlace, cycleMs: number): string {
  const step = REHASH_EVERY_MS / cycleMs;
  const read = Number.parseInt(readUpTo.slice(0, SPACE_DIGITS) || '0', 16) / KEY_SPACE;
  const due = (now + REHASH_EVERY_MS - (startedAt ?? now)) / cycleMs;
  const end = Math.min(due, read + CATCH_UP * step);
  if (end >= 1) return LAST_KEY;
  const digits = Math.floor(end * KEY_SPACE).toString(16);
  return digits.padStart(SPACE_DIGITS, '0').padEnd(LAST_KEY.length, 'f');
}

/**
 * Returns whether the bytes are good. Bytes that this process has no permission to read are logged and not marked, and
 * the run goes on.
 */
async function checkReadable(
  ctx: Context,
  reference: BlobReference,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  try {
    return await check(ctx, reference, signal);
  } catch (err) {
    if (!isSystemError(err, 'EACCES') && !isSystemError(err, 'EPERM')) throw err;
    ctx.log.error({ err, blobKey: reference.blobKey }, 'the stored bytes of a file cannot be read');
    return true;
  }
}

/** Returns whether the bytes are good. */
async function check(
  ctx: Context,
  reference: BlobReference,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const rest = (tookMs: number) => sleep(tookMs * REST_FACTOR);
  const flaw = await verifyBytes(ctx, reference, { withDigests: true, signal, rest });
  const { kind, fileUuid, mediaId, blobKey } = reference;
  const fields = { file: fileUuid, mediaId, blobKey };
  if (flaw !== null) {
    if (kind !== 'rendition')
      ctx.log.error({ ...fields, flaw }, 'the stored bytes of a file are damaged');
    else ctx.log.warn({ ...fields, flaw }, 'a damaged rendition was deleted');
    await noteDamagedBytes(ctx, reference);
  } else if (reference.damagedAt !== null && (await noteGoodBytes(ctx, reference))) {
    ctx.log.info(fields, 'the stored bytes of a file are good again');
  }
  return flaw === null;
}

/** Creates the function that tells, after each file, whether the run has to end. It stores the place at intervals. */
function createTurn(ctx: Context, place: RehashPlace, { signal, isWanted }: RehashOptions) {
  const startedAt = performance.now();
  let lookedAt = startedAt;
  return {
    async isOver(): Promise<boolean> {
      signal?.throwIfAborted();
      const now = performance.now();
      if (now - lookedAt < PAUSE_MS) return false;
      lookedAt = now;
      await updateRehashPlace(ctx.db, place);
      if (now - startedAt >= RUN_MS) return true;
      return now - startedAt >= TURN_MS && ((await isWanted?.()) ?? false);
    },
  };
}
