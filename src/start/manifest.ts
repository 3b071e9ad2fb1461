import { readFile } from 'node:fs/promises';
import { type Manifest, parseManifest } from '../graphql/persisted/manifest.ts';
import { ConfigError } from './config.ts';

/** Reads the manifest of `TRIVIUM_PERSISTED_ONLY`; null without one. Throws ConfigError. */
export async function readManifest(path: string | null): Promise<Manifest | null> {
  if (path === null) return null;
  try {
    return parseManifest(await readFile(path, 'utf8'));
  } catch (error) {
    const { message } = error as Error;
    throw new ConfigError([
      `TRIVIUM_PERSISTED_ONLY: the manifest ${path} cannot be read: ${message}`,
    ]);
  }
}
