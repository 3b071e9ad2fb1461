import { join } from 'node:path';
import { createFileStaging } from '../../blob/file-staging.ts';
import type { StoragePlace } from '../../domain/relocation/begin.ts';
import type { CommandSetting } from '../command-setting.ts';
import { type Config, parseConfig } from '../config.ts';
import { openBlobs } from '../file/storage.ts';

/**
 * Opens a storage of a move by its URL. Staged bytes of a bucket are files in the data directory, as those of a server.
 * Throws ConfigError or StartError.
 */
export async function openStoragePlace(
  url: string,
  { dataDir }: Config,
  env: CommandSetting['env'],
): Promise<StoragePlace> {
  const variables = { ...env, TRIVIUM_DATA_DIR: dataDir, TRIVIUM_STORAGE_URL: url };
  const { storage } = parseConfig({ ...variables, TRIVIUM_STORAGE_REDIRECT: undefined });
  const warn = (_: object, message: string) => console.error(`trivium: ${message}`);
  const { blobs, close } = await openBlobs(storage, { warn });
  const stagingName = join(storage.directory, 'staging');
  const staging = await createFileStaging({ directory: stagingName, blobs });
  return {
    name: storage.type === 'file' ? `file:${storage.directory}` : url,
    blobs,
    staging,
    stagingName,
    async close() {
      staging.close();
      await close();
    },
  };
}
