import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { createFileStaging } from '../blob/file-staging.ts';
import { withMemory } from '../blob/memory.ts';
import type { Services, Settings } from '../domain/context.ts';
import type { Events } from '../domain/event/event.ts';
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
import { servesOneProcess } from '../store/dialect.ts';
import { migrate } from '../store/migrate.ts';
import { createLeaseKeeper } from '../store/upload/lease-keeper.ts';
import type { Config } from './config.ts';
import { prepareDirectories } from './directory.ts';
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
  events: Events,
  onQuery: OnQuery | undefined,
): Promise<OpenedServices> {
  await prepareDirectories(config);
  await restrictDirectories(config, log);
  const db = openDatabase(config, onQuery);
  try {
    await migrateDatabase(db, config, log);
    const isMoved = await checkMove(db, log);
    const isShared = !servesOneProcess(config.databaseUrl);
    const pending = createPendingChanges({ db, isShared });
    await pending.reload();
    const storage = await openStorage(config.storage, log);
    const users = createUserSource({ db, clock: Date.now, log }, config);
    return {
      db,
      pending,
      ...storage,
      settings: settingsOf(config),
      events,
      uploadLocks: createKeyedLock(),
      uploadLeases: isShared ? createLeaseKeeper(db) : null,
      renders: createRenderQueue({ clock: Date.now }),
      ...createDecoders(config),
      arrivingBytes: new Map(),
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

/** Returns the settings that operations read. */
function settingsOf(config: Config): Settings {
  return {
    isFastPathEnabled: config.isFastPathEnabled,
    auth: config.auth,
    visibilityDefault: config.visibilityDefault,
    stripLocation: config.stripLocation,
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

/** Creates what decodes files outside of the thread that serves requests. */
function createDecoders({ previewDecoders: enabled, searchPath, imagePixelsMax }: Config) {
  return {
    renderer: createRenderer(),
    detailsReader: createDetailsReader({ searchPath }),
    decoders: createCatalog({ enabled, searchPath }),
    previewer: createPreviewer({ searchPath, limits: { pixelsMax: imagePixelsMax } }),
  } satisfies Partial<Services>;
}

/** Opens the database. Throws StartError. */
function openDatabase(config: Config, onQuery: OnQuery | undefined): Db {
  const { databaseUrl: url, statementTimeoutMs, isFastPathEnabled } = config;
  return openNamed(config, () =>
    openDb({ url, statementTimeoutMs, isFastPathEnabled, ...(onQuery && { onQuery }) }),
  );
}

async function migrateDatabase(db: Db, config: Config, log: Logger): Promise<void> {
  const applied = await migrate(db, (message) => log.warn(message)).catch((error: unknown) => {
    throw toDatabaseError(error, config);
  });
  if (applied.length > 0) log.info({ migrations: applied }, 'database migrated');
}

/** Opens blobs and staged bytes. On disk they are in one directory, so that a promotion is a rename. */
async function openStorage(
  storage: Storage,
  log: Logger,
): Promise<Pick<Services, 'blobs' | 'staging'> & { closeBlobs: () => Promise<void> }> {
  const onWritten = createScavenger();
  const opened = await openBlobs(storage, log, onWritten);
  const blobs = withMemory(opened.blobs);
  const directory = join(storage.directory, 'staging');
  const staging = await createFileStaging({ directory, blobs, onWritten });
  return { blobs, staging, closeBlobs: opened.close };
}

/** Returns the key in a file. Creates it if there is none, and logs that. */
export async function ownKey(path: string, log: Logger, message: string): Promise<string> {
  const { key, writtenTo } = await loadKeyFile(path);
  if (writtenTo !== null) log.info({ path: writtenTo }, message);
  return key;
}
