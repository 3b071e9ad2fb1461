import type { Staging } from '../../blob/staging.ts';
import type { Context } from '../context.ts';
import { InsufficientStorageError, QuotaExceededError } from '../storage-error.ts';
import { storageRoom } from './quota.ts';

/** The remaining room for a file while its bytes arrive. */
export interface Room {
  /** Counts bytes that have arrived. Throws QuotaExceededError and InsufficientStorageError. */
  take(sizeBytes: number): Promise<void>;
  /** Stops counting the bytes. They have been stored or deleted. */
  leave(): void;
}

/** Number of bytes between two checks of the free disk space: a check takes about 30 µs. */
const DISK_CHECKED_BYTES = 16 * 2 ** 20;

/**
 * Opens room for a file that arrives in one request. Its size is unknown, so each byte counts when it arrives, as do
 * the bytes of other files that arrive at the same time. Throws QuotaExceededError if there is no room.
 */
export async function openRoom(ctx: Context): Promise<Room> {
  const { arrivingBytes, settings } = ctx;
  const { quotas } = settings;
  const rooms = await storageRoom(ctx);
  const watchDisk = createDiskWatch(ctx);
  let ownBytes = 0;
  const add = (sizeBytes: number) => {
    ownBytes += sizeBytes;
    for (const name of rooms.keys()) {
      const all = (arrivingBytes.get(name) ?? 0) + sizeBytes;
      if (all > 0) arrivingBytes.set(name, all);
      else arrivingBytes.delete(name);
    }
  };
  const check = () => {
    for (const [name, roomBytes] of rooms) {
      if ((arrivingBytes.get(name) ?? 0) < roomBytes + 1) continue;
      const factor = name.startsWith('address:') ? quotas.addressFactor : 1;
      throw new QuotaExceededError({ name: 'stored-bytes', limit: quotas.storedBytesMax * factor });
    }
  };
  return {
    async take(sizeBytes) {
      add(sizeBytes);
      check();
      await watchDisk(sizeBytes);
    },
    leave: () => add(-ownBytes),
  };
}

/**
 * Creates a function that counts bytes, and throws InsufficientStorageError when the disk has too little free space.
 */
export function createDiskWatch(ctx: Context): (sizeBytes: number) => Promise<void> {
  let uncheckedBytes = DISK_CHECKED_BYTES;
  return async (sizeBytes) => {
    uncheckedBytes += sizeBytes;
    if (uncheckedBytes < DISK_CHECKED_BYTES) return;
    uncheckedBytes = 0;
    await checkDisk(ctx, sizeBytes);
  };
}

/** What was known of a disk when it was last asked. */
interface KnownDisk {
  freeBytes: number;
  askedAt: number;
}

const knownDisks = new WeakMap<Staging, KnownDisk>();

/** Period for which the answer of a disk that is far from full is used again. */
const KNOWN_MS = 1000;

/** No uploads fill this much within `KNOWN_MS`. */
const AMPLE_BYTES = 16 * 2 ** 30;

/**
 * Throws InsufficientStorageError unless the disk has room for this many more bytes. Asks the disk once a second while
 * it is far from full, and otherwise each time.
 */
export async function checkDisk({ staging, settings }: Context, sizeBytes: number): Promise<void> {
  const { freeBytesMin } = settings.quotas;
  if (freeBytesMin === 0) return;
  const restBytes =
    (await freeBytesOf(staging, freeBytesMin + sizeBytes + AMPLE_BYTES)) - sizeBytes;
  if (restBytes < freeBytesMin) throw new InsufficientStorageError();
}

async function freeBytesOf(staging: Staging, ampleBytes: number): Promise<number> {
  const known = knownDisks.get(staging);
  const now = performance.now();
  if (known && known.freeBytes >= ampleBytes && now - known.askedAt < KNOWN_MS) {
    return known.freeBytes;
  }
  const freeBytes = await staging.freeBytes();
  knownDisks.set(staging, { freeBytes, askedAt: now });
  return freeBytes;
}
