import type { CachedBlobStore } from '../blob/memory.ts';
import type { Staging } from '../blob/staging.ts';
import type { KeyedLock } from '../lib/keyed-lock.ts';
import type { SingleFlight } from '../lib/single-flight.ts';
import type { DetailsReader } from '../media/file/reader.ts';
import type { DecoderCatalog } from '../media/preview/catalog.ts';
import type { Previewer } from '../media/preview/previewer.ts';
import type { Renderer } from '../media/rendition/renderer.ts';
import type { Db } from '../store/db.ts';
import { withSignal } from '../store/limit.ts';
import type { Visibility } from '../store/scope.ts';
import { inTransaction } from '../store/transaction.ts';
import type { LeaseKeeper } from '../store/upload/lease-keeper.ts';
import { type Events, heldBack } from './event/event.ts';
import type { Logins } from './viewer/logins.ts';
import type { PendingChanges } from './viewer/pending.ts';
import type { Viewer } from './viewer/viewer.ts';

/** The environment of an operation: always its first parameter. */
export interface Context extends Services {
  viewer: Viewer;
  /** The client that sent the request; absent for background work. */
  client?: Client;
  /** Whether the operator runs the operation as the server, by a command. (Default: false) */
  isOperator?: boolean;
  log: Log;
}

/** The address of a client, as far as the domain knows it. */
export interface Client {
  /** A keyed hash of the address, the same in all processes: the address itself is not stored. */
  hash: string;
}

/** The part of the context that lives as long as the process. */
export interface Services {
  db: Db;
  blobs: CachedBlobStore;
  /** Bytes on their way into `blobs`. */
  staging: Staging;
  /** Publishes events; inside of `transact`, after the commit. */
  events: Events;
  settings: Settings;
  /** Subtrees and tags that jobs are deleting. No viewer sees them. */
  pending: PendingChanges;
  /** Serializes the chunks of each upload session, in this process only. */
  uploadLocks: KeyedLock;
  /** Keeps the leases of the uploads that this process writes to; null: no other process serves the database. */
  uploadLeases: LeaseKeeper | null;
  /**
   * Renders each rendition once for all requests that wait for it, in this process only: another process may render
   * the same one.
   */
  renders: SingleFlight;
  /** Renders the images of jobs. */
  renderer: Renderer;
  /** Reads what files say of themselves, for jobs. */
  detailsReader: DetailsReader;
  /** The decoders of files that browsers cannot show. */
  decoders: DecoderCatalog;
  /** Draws such files, for jobs. */
  previewer: Previewer;
  /**
   * Bytes that have arrived so far in unfinished single-request uploads of this process, by subject: see `quota.ts`.
   */
  arrivingBytes: Map<string, number>;
  /** Milliseconds since 1970. */
  clock: () => number;
  /** A random UUID. */
  newId: () => string;
  /** Lower-case hex SHA-256 of the admin key. It is the same in all processes, and also keys the hashes of names. */
  adminKeySha256: string;
  logins: Logins;
  /** Keys of signed URLs. The first one signs; all of them verify. */
  urlKeys: readonly string[];
}

/** The part of the configuration that operations read. */
export interface Settings {
  /** `open`: an anonymous viewer may call the operations that `access.ts` marks as open. */
  auth: 'open' | 'required';
  /** The visibility of new media for which neither the request nor a folder names one. */
  visibilityDefault: Visibility;
  /**
   * Whether location is removed from files. `public`: as they are sent to viewers who may not edit the media item.
   * `always`: also as they are stored, so that nobody gets it.
   */
  stripLocation: 'never' | 'public' | 'always';
  /** Whether reads take shortcuts that never change an answer. */
  isFastPathEnabled: boolean;
  imageBytesMax: number;
  documentBytesMax: number;
  fileBytesMax: number;
  imagePixelsMax: number;
  /** Widths of the renditions that are made of every image, in ascending order, in pixels. */
  thumbnailSizes: readonly number[];
  /** Total size that stored renditions may have, without those of `thumbnailSizes`. */
  renditionCacheBytesMax: number;
  /** Number of replaced files that are kept of each media item. */
  versionsMax: number;
  uploadTtlMs: number;
  /** Days for which entries of the audit log are kept. 0: nothing is recorded. */
  auditDays: number;
  /** Days in which all stored bytes are read again once; 0: never. */
  rehashDays: number;
  /** Days after which deleted nodes are purged from the trash; 0: a deletion is for ever. */
  trashDays: number;
  quotas: Quotas;
  /** MIME types that count as documents. */
  documentTypes: readonly string[];
  /** Hosts and networks that links and imports may reach although they are not public. */
  outboundAllowedHosts: readonly string[];
}

/** Quotas of one viewer. All viewers of one address together may have `addressFactor` times as much. 0: no limit. */
export interface Quotas {
  /** Open upload sessions. */
  uploadsMax: number;
  /** Total size of the files of open upload sessions, in bytes. */
  promisedBytesMax: number;
  storedBytesMax: number;
  /** Folders and media. */
  itemsMax: number;
  /** Subscriptions at once, in this process. */
  subscriptionsMax: number;
  /** Subscriptions at once of all viewers together, in this process. */
  subscriptionsTotalMax: number;
  addressFactor: number;
  /** Free disk space that uploads must leave, in bytes. */
  freeBytesMin: number;
}

/** The part of a logger that operations use: fields for machines, then a sentence without their values. */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/**
 * Returns the context of a request. When its signal aborts, long reads stop and throw. Changes continue, because the
 * server keeps what a client has sent.
 */
export function createContext(
  services: Services,
  {
    getSignal,
    ...request
  }: Pick<Context, 'viewer' | 'client' | 'log'> & {
    getSignal: () => AbortSignal;
  },
): Context {
  return { ...services, ...request, db: withSignal(services.db, getSignal) };
}

/**
 * Runs work in one transaction, or in the one that is open. The parameter shadows the outer context on purpose: inside,
 * only its `db` may be used. SQL only: no blobs, no client's stream. Events are published after the commit, so that no
 * subscriber learns of changes that were rolled back.
 */
export async function transact<T>(ctx: Context, work: (ctx: Context) => Promise<T>): Promise<T> {
  if (ctx.db.isTransaction) return work(ctx);
  const { events, release } = heldBack(ctx.events);
  const result = await inTransaction(ctx.db, (db) => work({ ...ctx, db, events }));
  release();
  return result;
}
