import { setTimeout as sleep } from 'node:timers/promises';
import { listOwnedBlobKeys } from '../../store/fsck/blob-reference.ts';
import type { Context } from '../context.ts';
import { areBlobsHeld } from '../file/blob-hold.ts';
import {
  type CheckOptions,
  type Difference,
  type DifferenceKind,
  difference,
} from './difference.ts';

/** Bytes that may have no row. */
export interface OrphanOptions {
  kind: DifferenceKind;
  message: string;
  exists: (key: string) => Promise<boolean>;
  remove: (key: string) => Promise<void>;
}

/** Finds the bytes without a row among many. */
export interface OrphanCheck {
  /** Adds keys of bytes that no row seems to refer to. */
  add(keys: readonly string[]): AsyncGenerator<Difference>;
  /** Judges the last keys. */
  end(): AsyncGenerator<Difference>;
}

/** Number of keys that are judged after one wait. */
const WAITING_MAX = 5000;

/** Number of keys of one statement. */
const CHUNK_SIZE = 500;

/**
 * Creates a check that judges each key twice: bytes are deleted shortly after their row, so what has an owner or is gone
 * after a short wait is no orphan. With `repair`, it deletes orphans, each right after it was judged.
 */
export function createOrphanCheck(
  ctx: Context,
  { repair, graceMs, settleMs, signal }: CheckOptions,
  { kind, message, exists, remove }: OrphanOptions,
): OrphanCheck {
  let waiting: string[] = [];
  const unowned = async (keys: readonly string[]) => {
    const owned = new Set(await listOwnedBlobKeys(ctx.db, keys, ctx.clock() - graceMs));
    return keys.filter((key) => !owned.has(key));
  };
  async function* judge(): AsyncGenerator<Difference> {
    const keys = waiting;
    waiting = [];
    if (keys.length === 0) return;
    await sleep(settleMs, undefined, { signal });
    for (let at = 0; at < keys.length; at += CHUNK_SIZE) {
      const orphans = await unowned(keys.slice(at, at + CHUNK_SIZE));
      // While a backup runs, bytes are kept after their row is gone. Asks after the look-up, as `areBlobsHeld` demands.
      if (await areBlobsHeld(ctx)) return;
      for (const key of orphans) {
        if (!(await exists(key))) continue;
        if (repair) await remove(key);
        yield difference(kind, message, { blobKey: key, repair: repair ? 'deleted' : null });
      }
    }
  }
  return {
    async *add(keys) {
      waiting.push(...(await unowned(keys)));
      if (waiting.length >= WAITING_MAX) yield* judge();
    },
    end: judge,
  };
}
