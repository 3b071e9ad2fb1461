import { readFile, stat } from 'node:fs/promises';
import { StorageError } from '../../blob/failure.ts';
import type { S3CredentialSource, S3Credentials } from '../../blob/s3/credential.ts';
import type { AwsSettings } from './storage-setting.ts';

/** Interval at which the files are looked at for changes. */
const LOOK_MS = 1000;

/** Creates the source of the credentials that the variables of AWS name: their own, or those of a profile in a file. */
export function createAwsCredentials(settings: AwsSettings): S3CredentialSource {
  const { credentials } = settings;
  if (credentials !== null)
    return { current: async () => credentials, reload: async () => credentials };
  let known: { credentials: S3Credentials; version: string } | null = null;
  let lookedAt = Number.NEGATIVE_INFINITY;
  async function look(isForced: boolean): Promise<S3Credentials> {
    const now = performance.now();
    if (known !== null && !isForced && now - lookedAt < LOOK_MS) return known.credentials;
    const version = await versionOf(settings);
    if (known === null || isForced || known.version !== version) {
      known = { credentials: await readCredentials(settings), version };
    }
    lookedAt = now;
    return known.credentials;
  }
  return { current: () => look(false), reload: () => look(true) };
}

/** Returns the region of the profile; null if it names none. */
export async function regionOfProfile({
  configFile,
  profile,
}: AwsSettings): Promise<string | null> {
  const section = profile === 'default' ? profile : `profile ${profile}`;
  return (await readSections(configFile)).get(section)?.get('region') ?? null;
}

async function readCredentials(settings: AwsSettings): Promise<S3Credentials> {
  const { profile, credentialsFile, configFile } = settings;
  const values =
    (await readSections(credentialsFile)).get(profile) ??
    (await readSections(configFile)).get(profile === 'default' ? profile : `profile ${profile}`);
  const accessKeyId = values?.get('aws_access_key_id');
  const secretAccessKey = values?.get('aws_secret_access_key');
  const sessionToken = values?.get('aws_session_token');
  if (!accessKeyId || !secretAccessKey) {
    throw new StorageError(
      'unavailable',
      `There are no credentials for the bucket: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or write the profile ${profile} to ${credentialsFile}.`,
    );
  }
  return { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) };
}

async function versionOf({ credentialsFile, configFile }: AwsSettings): Promise<string> {
  const versions = [credentialsFile, configFile].map(async (path) => {
    const stats = await stat(path, { bigint: true }).catch(() => null);
    return stats === null ? '' : `${stats.ino}.${stats.mtimeNs}.${stats.size}`;
  });
  return (await Promise.all(versions)).join(' ');
}

/** Reads a file of sections. A file that does not exist has none. */
async function readSections(path: string): Promise<Map<string, Map<string, string>>> {
  const sections = new Map<string, Map<string, string>>();
  const text = await readFile(path, 'utf8').catch(() => '');
  let section = new Map<string, string>();
  for (const line of text.split('\n').map((line) => line.trim())) {
    const [, name] = /^\[\s*([^\]]+?)\s*\]$/.exec(line) ?? [];
    const [, key, value] = /^([\w-]+)\s*=\s*(.*)$/.exec(line) ?? [];
    if (name !== undefined) {
      section = sections.get(name) ?? new Map();
      sections.set(name, section);
    } else if (key !== undefined) section.set(key, value ?? '');
  }
  return sections;
}
