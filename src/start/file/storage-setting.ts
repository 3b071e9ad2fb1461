import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { oneOf } from '../setting.ts';
import { parseS3Url, S3_URL_EXPECTED, type S3Place } from './s3-url.ts';

/** Where the bytes of files are. */
export type Storage = FileStorage | S3Storage;

/** Blobs and staged bytes in a directory. */
export interface FileStorage {
  type: 'file';
  directory: string;
}

/** Blobs in a bucket. */
export interface S3Storage extends S3Place {
  type: 's3';
  /** Directory of staged bytes and temporary files. */
  directory: string;
  aws: AwsSettings;
}

/** What the usual variables of AWS say. Never logged. */
export interface AwsSettings {
  /** Null: in a file. */
  credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string } | null;
  profile: string;
  credentialsFile: string;
  configFile: string;
}

/** Configuration of the storage. */
export interface StorageSettings {
  storage: Storage;
  /** Which downloads are redirected to the bucket. */
  storageRedirect: 'never' | 'public' | 'all';
}

/** The variables of the storage, as in `VARIABLES`. */
export const STORAGE_VARIABLES = {
  TRIVIUM_STORAGE_URL: [
    z
      .string()
      .superRefine((url, { addIssue }) => {
        const message = storageUrlFlaw(url);
        if (message !== null) addIssue({ code: 'custom', message });
      })
      .optional(),
    `file:<directory> or ${S3_URL_EXPECTED}; default: blobs in the data directory`,
  ],
  TRIVIUM_STORAGE_REDIRECT: [
    oneOf(['never', 'public', 'all']).default('never'),
    'never, public or all: downloads that are redirected to signed URLs of the bucket; default: never',
  ],
} as const satisfies Record<string, readonly [z.ZodType, string]>;

type Values = {
  [Name in keyof typeof STORAGE_VARIABLES]: z.output<(typeof STORAGE_VARIABLES)[Name][0]>;
};

type Variables = Readonly<Record<string, string | undefined>>;

/** Returns what the value of a setting must be, if it is wrong; null if it is right. */
function storageUrlFlaw(url: string): string | null {
  if (/^file:./.test(url)) return null;
  if (!url.startsWith('s3:')) return `file:<directory> or ${S3_URL_EXPECTED}`;
  const parsed = parseS3Url(url);
  return typeof parsed === 'string' ? parsed : null;
}

/** Converts the values of the variables. `env`: the variables of AWS. */
export function toStorage(values: Values, dataDir: string, env: Variables): StorageSettings {
  const url = values.TRIVIUM_STORAGE_URL ?? '';
  const place = parseS3Url(url);
  const directory = join(dataDir, 'blobs');
  const storage: Storage =
    typeof place === 'string'
      ? { type: 'file', directory: url === '' ? directory : toDirectory(url) }
      : { type: 's3', directory, ...withDefaults(place, env), aws: toAws(env) };
  return { storage, storageRedirect: values.TRIVIUM_STORAGE_REDIRECT };
}

/** Returns what is wrong with the settings together, a line for each problem. */
export function storageProblems(values: Values, env: Variables): string[] {
  const isS3 = values.TRIVIUM_STORAGE_URL?.startsWith('s3:') ?? false;
  const problems: string[] = [];
  if (!isS3 && values.TRIVIUM_STORAGE_REDIRECT !== 'never') {
    problems.push(
      'TRIVIUM_STORAGE_REDIRECT: expected never, because the files are not in a bucket',
    );
  }
  if (isS3 && !env.AWS_ACCESS_KEY_ID !== !env.AWS_SECRET_ACCESS_KEY) {
    problems.push('AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY: expected both or neither');
  }
  const endpoint = env.AWS_ENDPOINT_URL_S3;
  if (isS3 && endpoint && !/^https?:\/\/[^/?#@]+\/?$/.test(endpoint)) {
    problems.push('AWS_ENDPOINT_URL_S3: expected an http or https URL without a path');
  }
  return problems;
}

function toDirectory(url: string): string {
  return resolve(url.replace(/^file:(\/\/(?=\/))?/, ''));
}

function withDefaults(place: S3Place, env: Variables): S3Place {
  const endpoint = env.AWS_ENDPOINT_URL_S3 || null;
  return {
    ...place,
    endpoint: place.endpoint ?? (endpoint === null ? null : new URL(endpoint).origin),
    region: place.region ?? (env.AWS_REGION || env.AWS_DEFAULT_REGION || null),
  };
}

function toAws(env: Variables): AwsSettings {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = env;
  const home = join(env.HOME || homedir(), '.aws');
  return {
    credentials:
      AWS_ACCESS_KEY_ID && AWS_SECRET_ACCESS_KEY
        ? {
            accessKeyId: AWS_ACCESS_KEY_ID,
            secretAccessKey: AWS_SECRET_ACCESS_KEY,
            ...(AWS_SESSION_TOKEN && { sessionToken: AWS_SESSION_TOKEN }),
          }
        : null,
    profile: env.AWS_PROFILE || 'default',
    credentialsFile: env.AWS_SHARED_CREDENTIALS_FILE || join(home, 'credentials'),
    configFile: env.AWS_CONFIG_FILE || join(home, 'config'),
  };
}
