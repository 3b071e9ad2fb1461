import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { withMemory } from '../blob/memory.ts';
import { observeStore } from '../blob/observed.ts';
import type { Services, Settings } from '../domain/context.ts';
import { createRenderQueue } from '../domain/rendition/queue.ts';
import { keySha256 } from '../domain/viewer/key.ts';
import { createLogins } from '../domain/viewer/logins.ts';
import { createPendingChanges } from '../domain/viewer/pending.ts';
import { createKeyedLock } from '../lib/keyed-lock.ts';
import { createDetailsReader } from '../media/file/reader.ts';
import { createCatalog } from '../media/preview/catalog.ts';
import { createPreviewer } from '../media/preview/previewer.ts';
import { createRenderer } from '../media/rendition/renderer.ts';
import { type Db, openDb } from '../store/db.ts';
import { migrate } from '../store/migrate.ts';
import type { WriteGate } from '../store/sqlite/writer.ts';
import { createLeaseKeeper } from '../store/upload/lease-keeper.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { Exchange } from './cluster/exchange.ts';
import type { Config } from './config.ts';
import { prepareDirectories } from './directory.ts';
import { openStaging } from './file/staging.ts';
import { openBlobs } from './file/storage.ts';
import type { Storage } from './file/storage-setting.ts';
import { checkMove } from './relocation/move-state.ts';
import { restrictDirectories } from './restrict.ts';
import { createScavenger } from './scavenge.ts';
import { openNamed, toDatabaseError } from './start-error.ts';
import { loadKeyFile } from './viewer/key-file.ts';
import { createUserSource, type UserSource } from './viewer/user-source.ts';

/** Receives every SQL statement and its milliseconds. */
export type OnQuery = (sql: string, ms: number) => void;

/** The services, and what a server needs to know of them. */
export interface OpenedServices extends Services {
  users: UserSource;
  /** Whether the library has been moved to another place, and can only be read here. */
  isMoved: boolean;
  closeBlobs: () => Promise<void>;
}

/** Opens and migrates the database and opens the storage, for all operations. Creates the admin key if there is none. */
export async function createServices(
  config: Config,
  log: Logger,
  { events, tallyOf, writeGate }: Pick<Exchange, 'events' | 'tallyOf' | 'writeGate'>,
  telemetry: Telemetry,
): Promise<OpenedServices> {
  await prepareDirectories(config);
  await restrictDirectories(config, log);
  const db = openDatabase(config, { onQuery: telemetry.onQuery, writeGate });
  try {
    await migrateDatabase(db, config, log);
    const isMoved = await checkMove(db, log);
    const pending = createPendingChanges({ db, isShared: config.isShared });
    await pending.reload();
    const storage = await openStorage(db, config.storage, log, telemetry);
    const users = createUserSource({ db, clock: Date.now, log }, config);
    return {
      db,
      pending,
      observer: telemetry.observer,
      ...storage,
      settings: toSettings(config),
      events,
      ...createUploadLocks(db, config.isShared),
      ...createDecoders(config),
      tallyOf,
      arrivingBytes: tallyOf('arriving bytes'),
      clock: Date.now,
      newId: randomUUID,
      users,
      isMoved,
      logins: createLogins(users.refresh),
      adminKeySha256: keySha256(
        config.adminKey ??
          (await ownKey(join(config.dataDir, 'admin.key'), log, 'created an admin key')),
      ),
      urlKeys: config.urlKeys ?? [
        await ownKey(join(config.dataDir, 'url.key'), log, 'created a key of signed URLs'),
      ],
    };
  } catch (error) {
    await db.destroy();
    throw error;
  }
}

/** Returns the part of the configuration that operations read. */
function toSettings(config: Config): Settings {
  return {
    isFastPathEnabled: config.isFastPathEnabled,
    hasWorkers: config.workers > 1,
    auth: config.auth,
    visibilityDefault: config.visibilityDefault,
    stripLocation: config.stripLocation,
    storageRedirect: config.storageRedirect,
    imageBytesMax: config.imageBytesMax,
    documentBytesMax: config.documentBytesMax,
    fileBytesMax: config.fileBytesMax,
    imagePixelsMax: config.imagePixelsMax,
    thumbnailSizes: config.thumbnailSizes,
    renditionCacheBytesMax: config.renditionCacheBytesMax,
    versionsMax: config.versionsMax,
    uploadTtlMs: config.uploadTtlHours * 3_600_000,
    auditDays: config.auditDays,
    rehashDays: config.rehashDays,
    trashDays: config.trashDays,
    quotas: config.quotas,
    documentTypes: config.documentTypes,
    outboundAllowedHosts: config.outboundAllowedHosts,
  };
}

/** Creates the locks of uploads. `isShared`: whether other processes serve the database. */
function createUploadLocks(db: Db, isShared: boolean) {
  return {
    uploadLocks: createKeyedLock(),
    uploadLeases: isShared ? createLeaseKeeper(db) : null,
  };
}

/** Creates what decodes files outside of the thread that serves requests. */
function createDecoders({ previewDecoders: enabled, searchPath, imagePixelsMax }: Config) {
  return {
    renders: createRenderQueue({ clock: Date.now }),
    renderer: createRenderer(),
    detailsReader: createDetailsReader({ searchPath }),
    decoders: createCatalog({ enabled, searchPath }),
    previewer: createPreviewer({ searchPath, limits: { pixelsMax: imagePixelsMax } }),
  } satisfies Partial<Services>;
}

/** Opens the database. Throws StartError. */
function openDatabase(
  config: Config,
  options: { onQuery: OnQuery; writeGate: WriteGate | undefined },
): Db {
  const { databaseUrl: url, statementTimeoutMs, isFastPathEnabled, workers } = config;
  return openNamed(config, () =>
    openDb({ url, statementTimeoutMs, isFastPathEnabled, workers, ...options }),
  );
}

async function migrateDatabase(db: Db, config: Config, log: Logger): Promise<void> {
  const applied = await migrate(db, (message, level = 'warn') => log[level](message)).catch(
    (error: unknown) => {
      throw toDatabaseError(error, config);
    },
  );
  if (applied.length > 0) log.info({ migrations: applied }, 'database migrated');
}

/** Opens blobs and staged bytes. On disk they are in one directory, so that a promotion is a rename. */
async function openStorage(
  db: Db,
  storage: Storage,
  log: Logger,
  { observeBlobs, observeStaging }: Telemetry,
): Promise<Pick<Services, 'blobs' | 'staging'> & { closeBlobs: () => Promise<void> }> {
  const onWritten = createScavenger();
  const opened = await openBlobs(storage, log, onWritten);
  const blobs = withMemory(observeStore(opened.blobs, observeBlobs));
  const { client } = opened;
  const staging = await openStaging({ db, storage, client, blobs, onWritten });
  return { blobs, staging: observeStore(staging, observeStaging), closeBlobs: opened.close };
}

/** Returns the key in a file. Creates it if there is none, and logs that. */
export async function ownKey(path: string, log: Logger, message: string): Promise<string> {
  const { key, writtenTo } = await loadKeyFile(path);
  if (writtenTo !== null) log.info({ path: writtenTo }, message);
  return key;
}
