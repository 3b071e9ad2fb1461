import { join } from 'node:path';
import type { StagingPlace, StoragePlace } from '../../domain/relocation/begin.ts';
import { openDb } from '../../store/db.ts';
import type { CommandSetting } from '../command-setting.ts';
import { type Config, parseConfig } from '../config.ts';
import { openStaging } from '../file/staging.ts';
import { type OpenedBlobs, openBlobs } from '../file/storage.ts';
import type { Storage } from '../file/storage-setting.ts';

/** A storage of a move that is open. */
export interface OpenStorage extends StoragePlace {
  /** Opens the staging area that a server with this storage and this database has. The database may not exist yet. */
  openStaging(databaseUrl: string): Promise<StagingPlace>;
  close(): Promise<void>;
}

/** Opens a storage of a move by its URL. Throws ConfigError or StartError. */
export async function openStorage(
  url: string,
  { dataDir }: Config,
  env: CommandSetting['env'],
): Promise<OpenStorage> {
  const variables = { ...env, TRIVIUM_DATA_DIR: dataDir, TRIVIUM_STORAGE_URL: url };
  const { storage } = parseConfig({ ...variables, TRIVIUM_STORAGE_REDIRECT: undefined });
  const warn = (_: object, message: string) => console.error(`trivium: ${message}`);
  const opened = await openBlobs(storage, { warn });
  return {
    name: storage.type === 'file' ? `file:${storage.directory}` : url,
    blobs: opened.blobs,
    openStaging: (databaseUrl) => openStagingPlace(databaseUrl, storage, opened),
    close: opened.close,
  };
}

async function openStagingPlace(
  databaseUrl: string,
  storage: Storage,
  { blobs, client }: OpenedBlobs,
): Promise<StagingPlace> {
  const db = databaseUrl.startsWith('sqlite:') ? null : openDb({ url: databaseUrl });
  const staging = await openStaging({ db, storage, client, blobs });
  return {
    name: staging.isLocal ? join(storage.directory, 'staging') : databaseUrl,
    staging,
    async close() {
      staging.close();
      await db?.destroy();
    },
  };
}
