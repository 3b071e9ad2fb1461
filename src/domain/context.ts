import type { BlobStore } from '../blob/blob-store.ts';
import type { Staging } from '../blob/staging.ts';
import type { KeyedLock } from '../lib/keyed-lock.ts';
import type { SingleFlight } from '../lib/single-flight.ts';
import type { Db } from '../store/db.ts';
import { inTransaction } from '../store/transaction.ts';
import { type Events, heldBack } from './event/event.ts';
import type { Viewer } from './viewer/viewer.ts';

/** What an operation works with: always its first parameter. */
export interface Context extends Services {
  viewer: Viewer;
  log: Log;
}

/** The part of the context that lives as long as the process. */
export interface Services {
  db: Db;
  blobs: BlobStore;
  /** Bytes on their way into `blobs`. */
  staging: Staging;
  /** Tells of what has happened. Inside of `transact`, after the commit. */
  events: Events;
  settings: Settings;
  /** One chunk at a time for each upload. In this process only: see README, decisions. */
  uploadLocks: KeyedLock;
  /** Makes each rendition once for all who wait for it. In this process only: another may make the same. */
  renders: SingleFlight;
  /** Milliseconds since 1970. */
  clock: () => number;
  /** A random UUID. */
  newId: () => string;
  /** Lower-case hex SHA-256 of the admin key. */
  adminKeySha256: string;
}

/** The part of the configuration that operations ask. */
export interface Settings {
  /** Whether an anonymous viewer may do what `access.ts` marks as open. */
  auth: 'open' | 'required';
  imageBytesMax: number;
  documentBytesMax: number;
  fileBytesMax: number;
  imagePixelsMax: number;
  /** What kept renditions may take in all. */
  renditionCacheBytesMax: number;
  uploadTtlMs: number;
  /** MIME types that count as documents. */
  documentTypes: readonly string[];
  /** Hosts and networks that links and imports may lead to although they are not public. */
  outboundAllowedHosts: readonly string[];
}

/** What of a logger operations use: fields for machines, then a sentence that never holds them. */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/**
 * Runs work in one transaction, or in the one that is open. The parameter shadows the outer context on
 * purpose: inside, its `db` is the only one that may be used. SQL only: no blobs, no client's stream.
 * Events are published after the commit: nobody hears of what was rolled back.
 */
export async function transact<T>(ctx: Context, work: (ctx: Context) => Promise<T>): Promise<T> {
  if (ctx.db.isTransaction) return work(ctx);
  const { events, release } = heldBack(ctx.events);
  const result = await inTransaction(ctx.db, (db) => work({ ...ctx, db, events }));
  release();
  return result;
}
