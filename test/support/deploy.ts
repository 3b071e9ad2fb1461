import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import { parseConfig } from '../../src/start/config.ts';

/** Reads all documents of a YAML file. Throws if one is malformed or names a key twice. */
export function readYaml(path: string): unknown[] {
  return parseAllDocuments(readFileSync(path, 'utf8'), { merge: true }).map((document) => {
    if (document.errors.length > 0) throw new Error(`${path}: ${document.errors.join('\n')}`);
    return document.toJS();
  });
}

/**
 * Returns the settings of the server that an environment has but the server does not know. Throws a ConfigError if a
 * value is wrong. The URL of an S3 store is only checked to be one.
 */
export function unknownSettings(environment: Readonly<Record<string, string>>): readonly string[] {
  const { TRIVIUM_STORAGE_URL: storage = 's3://bucket', ...others } = environment;
  if (new URL(storage).protocol !== 's3:') throw new Error(`not an S3 store: ${storage}`);
  return parseConfig(others).unknownVariables;
}
