import { randomUUID } from 'node:crypto';
import type { Db } from '../db.ts';
import { extendUploadLeases } from './lease.ts';

/** Options of `createLeaseKeeper`. */
export interface LeaseKeeperOptions {
  /** The statement that extends leases. */
  extend?: typeof extendUploadLeases;
  /** Time after which others may take a lease that was not extended. (Default: 5 s) */
  leaseMs?: number;
  /** Time that work waits for a lease of another process, longer than a dead one keeps it. (Default: 8 s) */
  waitMs?: number;
}

/** Extends the leases of uploads that this process holds, for as long as it holds them. */
export interface LeaseKeeper {
  /** The name of this process, which no other has. */
  holder: string;
  leaseMs: number;
  waitMs: number;
  /**
   * Begins to extend a lease. `askedAt` is the time, by `momentNow`, before the statement that took the lease was sent:
   * its time has run since then.
   */
  keep(id: string, fence: number, askedAt: Moment): KeptLease;
}

/** A lease that this process extends. */
export interface KeptLease {
  /** Tells whether nobody else can have taken the lease so far. Asks no database. */
  isHeld(): boolean;
  /** Stops to extend the lease. */
  end(): void;
}

/** A moment of this machine. A suspended machine stops the first clock, and a person may set the second. */
export interface Moment {
  monotonicMs: number;
  wallMs: number;
}

/** Returns the present moment. */
export function momentNow(): Moment {
  return { monotonicMs: performance.now(), wallMs: Date.now() };
}

/** Default duration of a lease. */
const LEASE_MS = 5000;

/** Default time to wait for one. */
const WAIT_MS = 8000;

interface Entry {
  fence: number;
  /** Null: somebody else has the lease. */
  extendedAt: Moment | null;
}

/** Creates a keeper. One statement for all leases runs three times in the life of a lease, while there is any. */
export function createLeaseKeeper(
  db: Db,
  { extend = extendUploadLeases, leaseMs = LEASE_MS, waitMs = WAIT_MS }: LeaseKeeperOptions = {},
): LeaseKeeper {
  const holder = randomUUID();
  const kept = new Map<string, Entry>();
  let timer: NodeJS.Timeout | undefined;
  let isExtending = false;
  async function extendAll(): Promise<void> {
    if (isExtending) return;
    isExtending = true;
    const asked = new Map(kept);
    const extendedAt = momentNow();
    try {
      const fences = await extend(db, [...asked.keys()], { holder, leaseMs });
      for (const [id, entry] of asked) {
        entry.extendedAt = fences.get(id) === entry.fence ? extendedAt : null;
      }
    } catch {
      // The database cannot be reached: the leases end at their time, unless the next try succeeds.
    } finally {
      isExtending = false;
    }
  }
  return {
    holder,
    leaseMs,
    waitMs,
    keep(id, fence, askedAt) {
      const entry: Entry = { fence, extendedAt: askedAt };
      kept.set(id, entry);
      timer ??= setInterval(() => void extendAll(), leaseMs / 3).unref();
      return {
        isHeld: () => entry.extendedAt !== null && elapsedMs(entry.extendedAt) < leaseMs,
        end() {
          if (kept.get(id) === entry) kept.delete(id);
          if (kept.size > 0) return;
          clearInterval(timer);
          timer = undefined;
        },
      };
    },
  };
}

/** Returns the larger of what both clocks measured, so that a lease never seems to last longer than it does. */
function elapsedMs({ monotonicMs, wallMs }: Moment): number {
  const now = momentNow();
  return Math.max(now.monotonicMs - monotonicMs, now.wallMs - wallMs);
}
