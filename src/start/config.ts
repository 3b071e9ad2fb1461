import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { z } from 'zod';
import { STATEMENT_TIMEOUT_MS } from '../store/db.ts';
import {
  STORAGE_VARIABLES,
  type StorageSettings,
  storageProblems,
  toStorage,
} from './file/storage-setting.ts';
import { JWT_VARIABLES, type JwtSettings, toJwtSettings } from './jwt-setting.ts';
import { LIMIT_VARIABLES, type Limits, toLimits } from './limit.ts';
import { IMAGE_VARIABLES, type ImageSettings, toImageSettings } from './rendition/image-setting.ts';
import { PREVIEW_VARIABLES, type Previews, toPreviews } from './rendition/preview-setting.ts';
import { RETENTION_VARIABLES, type Retention, toRetention } from './retention.ts';
import { baseUrl, hostList, httpUrl, oneOf, originList, wholeNumber } from './setting.ts';
import { isStrongSecret, SECRET_RULE } from './viewer/secret.ts';
import { URL_KEYS_EXPECTED, urlKeyList } from './viewer/url-key.ts';
import {
  toVisibility,
  VISIBILITY_VARIABLES,
  type VisibilitySettings,
} from './viewer/visibility.ts';

/** The configuration of the server, frozen. */
export interface Config
  extends Limits,
    JwtSettings,
    Previews,
    Retention,
    ImageSettings,
    StorageSettings,
    VisibilitySettings {
  host: string;
  /** 0: any free port. */
  port: number;
  /** Base of absolute links, without a trailing slash; null: scheme and host of the request. */
  publicUrl: string | null;
  dataDir: string;
  /** `sqlite:<path>` or `postgres://…` */
  databaseUrl: string;
  auth: 'open' | 'required';
  /** The origins of pages that may call the server, also with cookies; null: the default of `auth`. */
  corsOrigins: readonly string[] | null;
  /** Null: created at the first start and kept in `<dataDir>/admin.key`. */
  adminKey: string | null;
  jwtSecret: string | null;
  /** Keys of signed URLs, of which the first one signs. Null: created at the first start and kept in `<dataDir>/url.key`. */
  urlKeys: readonly string[] | null;
  jwksUrl: string | null;
  /** JSON file of users, which may be absent; null: the users are in the database. */
  usersFile: string | null;
  imageBytesMax: number;
  /** The limit of the SelfCommunity dialect, whose documents say 5 MiB. */
  selfcommunityImageBytesMax: number;
  documentBytesMax: number;
  fileBytesMax: number;
  documentTypes: readonly string[];
  uploadTtlHours: number;
  /** Maximum duration of one statement in the database. */
  statementTimeoutMs: number;
  /** Jobs that this process runs concurrently; 0: none. */
  jobConcurrency: number;
  /** Null: a default, without a limit for loopback addresses; 0: no limit. */
  connectionsPerAddressMax: number | null;
  /** Lowest average rate at which bodies may arrive, in bytes a second; 0: no limit. */
  bodyBytesPerSecondMin: number;
  /** Time that a starting server waits for another process that serves the same SQLite database. */
  lockWaitSeconds: number;
  /** Private hosts and networks that links and imports may fetch from. */
  outboundAllowedHosts: readonly string[];
  isGraphiqlEnabled: boolean;
  /** The manifest of the documents that the server runs; null: it runs any. */
  manifestFile: string | null;
  /** Whether reads take shortcuts that never change an answer. */
  isFastPathEnabled: boolean;
  logLevel: (typeof LOG_LEVELS)[number];
  /** The directories of programs: `PATH`. */
  searchPath: string;
  /** Unknown variables with our prefix, probably misspelled: they deserve a warning. */
  unknownVariables: readonly string[];
}

/** A wrong configuration. The message lists every problem on a line of its own. */
export class ConfigError extends Error {
  constructor(problems: readonly string[]) {
    super(['The configuration is wrong:', ...problems.map((line) => `  ${line}`)].join('\n'));
    this.name = 'ConfigError';
  }
}

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

const bytes = wholeNumber(1, Number.MAX_SAFE_INTEGER);
const secret = z.string().refine(isStrongSecret, SECRET_RULE);

/**
 * Every variable with its check, its default where that is constant, and its description for `trivium serve --help`.
 */
export const VARIABLES = {
  TRIVIUM_HOST: [
    z.string().min(1, 'a host name or address').default('127.0.0.1'),
    'address to listen on; default: 127.0.0.1',
  ],
  TRIVIUM_PORT: [
    wholeNumber(0, 65_535).default(4000),
    'port to listen on; 0: any free port; default: 4000',
  ],
  TRIVIUM_PUBLIC_URL: [
    baseUrl.optional(),
    'base of absolute links; default: scheme and host of the request',
  ],
  TRIVIUM_DATA_DIR: [
    z.string().min(1, 'a directory').default('./data'),
    'directory of the SQLite file, blobs and keys; default: ./data',
  ],
  TRIVIUM_DATABASE_URL: [
    z
      .string()
      .regex(/^(sqlite:.|postgres(ql)?:\/\/.)/, 'sqlite:<file> or postgres://…')
      .optional(),
    'sqlite:<file> or postgres://…; default: trivium.db in the data directory',
  ],
  TRIVIUM_STATEMENT_TIMEOUT_MS: [
    wholeNumber(100, 3_600_000).default(STATEMENT_TIMEOUT_MS),
    'time after which a statement of the database is given up, in milliseconds; default: 10000',
  ],
  ...STORAGE_VARIABLES,
  TRIVIUM_AUTH: [
    oneOf(['open', 'required']).optional(),
    'open or required; default: open on a loopback address, else required',
  ],
  TRIVIUM_CORS_ORIGINS: [
    originList.optional(),
    'origins of pages that may call the server, also with cookies, separated by commas; default: all, without cookies; loopback origins if TRIVIUM_AUTH is open',
  ],
  ...VISIBILITY_VARIABLES,
  TRIVIUM_ADMIN_KEY: [
    secret.optional(),
    `admin key, ${SECRET_RULE}; default: generated at the first start`,
  ],
  TRIVIUM_JWT_SECRET: [
    secret.optional(),
    `secret of HS256 tokens, ${SECRET_RULE}; default: generated at the first start`,
  ],
  TRIVIUM_URL_KEYS: [
    urlKeyList.optional(),
    `keys of signed URLs: ${URL_KEYS_EXPECTED}; the first one signs, all verify; default: generated at the first start`,
  ],
  TRIVIUM_JWKS_URL: [httpUrl.optional(), 'URL of the public keys of another token issuer'],
  ...JWT_VARIABLES,
  TRIVIUM_USERS_FILE: [
    z.string().min(1, 'a file').optional(),
    'file of users who log in with a password; default: none, they are in the database',
  ],
  TRIVIUM_IMAGE_BYTES_MAX: [
    bytes.optional(),
    'largest image, in bytes; default: 50 MiB, and 5 MiB in the SelfCommunity dialect',
  ],
  TRIVIUM_DOCUMENT_BYTES_MAX: [
    bytes.default(50 * 2 ** 20),
    'largest document, in bytes; default: 50 MiB',
  ],
  TRIVIUM_FILE_BYTES_MAX: [
    bytes.default(2 ** 30),
    'largest file of any other kind, in bytes; default: 1 GiB',
  ],
  ...IMAGE_VARIABLES,
  TRIVIUM_DOCUMENT_TYPES: [
    z
      .string()
      .regex(/^[\w.+-]+\/[\w.+-]+(,\s*[\w.+-]+\/[\w.+-]+)*$/, 'MIME types, separated by commas')
      .default('application/pdf')
      .transform((list) => list.split(/,\s*/)),
    'MIME types that count as documents, separated by commas; default: application/pdf',
  ],
  TRIVIUM_UPLOAD_TTL_HOURS: [
    wholeNumber(1, 8760).default(24),
    'lifetime of an upload session, in hours; default: 24',
  ],
  ...RETENTION_VARIABLES,
  ...PREVIEW_VARIABLES,
  TRIVIUM_JOB_CONCURRENCY: [
    wholeNumber(0, 64).default(2),
    'jobs that this process runs concurrently; 0: none; default: 2',
  ],
  TRIVIUM_CONNECTIONS_PER_ADDRESS_MAX: [
    wholeNumber(0, 1_000_000).optional(),
    'open connections of one address; 0: no limit; default: 512, and no limit for loopback addresses',
  ],
  TRIVIUM_BODY_BYTES_PER_SECOND_MIN: [
    wholeNumber(0, 2 ** 30).default(1024),
    'least rate at which bodies must arrive, averaged over 30 seconds, in bytes a second; 0: none; default: 1,024',
  ],
  TRIVIUM_LOCK_WAIT_SECONDS: [
    wholeNumber(0, 86_400).default(60),
    'time for which a start waits for the process that uses the same SQLite file, in seconds; default: 60',
  ],
  TRIVIUM_OUTBOUND_ALLOWED_HOSTS: [
    hostList.default([]),
    'private hosts, host:port and networks that links and imports may fetch from; default: none',
  ],
  ...LIMIT_VARIABLES,
  TRIVIUM_GRAPHIQL: [
    oneOf(['on', 'off']).optional(),
    'on or off; default: on if TRIVIUM_AUTH is open, else off',
  ],
  TRIVIUM_PERSISTED_ONLY: [
    z.string().min(1, 'a file').optional(),
    'file of the GraphQL documents that the server runs, as codegen, Apollo or Relay write it; default: none, it runs any',
  ],
  TRIVIUM_FAST_PATH: [
    oneOf(['on', 'off']).default('on'),
    'on or off: shortcuts of reads, which never change an answer; default: on',
  ],
  TRIVIUM_LOG_LEVEL: [oneOf(LOG_LEVELS).default('info'), `${LOG_LEVELS.join(', ')}; default: info`],
} as const satisfies Record<string, readonly [z.ZodType, string]>;

/** Variables of the commands that send requests to a server. */
const CLIENT_VARIABLES = ['TRIVIUM_URL', 'TRIVIUM_API_KEY'];

type Variables = Readonly<Record<string, string | undefined>>;

type Values = { [Name in keyof typeof VARIABLES]: z.output<(typeof VARIABLES)[Name][0]> };

/** Reads the configuration. Throws ConfigError with every problem at once. */
export function parseConfig(env: Variables): Config {
  const unknownVariables = Object.keys(env).filter(
    (name) =>
      name.startsWith('TRIVIUM_') && !(name in VARIABLES) && !CLIENT_VARIABLES.includes(name),
  );
  const searchPath = env.PATH ?? '';
  return Object.freeze({ ...toConfig(parseValues(env), env), searchPath, unknownVariables });
}

function parseValues(env: Variables): Values {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, [schema]] of Object.entries(VARIABLES)) {
    // An empty variable counts as unset: a compose file cannot leave one out.
    const result = schema.safeParse(env[name] || undefined);
    if (result.success) values[name] = result.data;
    else problems.push(`${name}: expected ${result.error.issues[0]?.message}`);
  }
  if (problems.length === 0) problems.push(...storageProblems(values as Values, env));
  if (problems.length > 0) throw new ConfigError(problems);
  return values as Values;
}

function toConfig(values: Values, env: Variables): Omit<Config, 'searchPath' | 'unknownVariables'> {
  const dataDir = resolve(values.TRIVIUM_DATA_DIR);
  const auth = values.TRIVIUM_AUTH ?? (isLoopback(values.TRIVIUM_HOST) ? 'open' : 'required');
  return {
    host: values.TRIVIUM_HOST,
    port: values.TRIVIUM_PORT,
    publicUrl: values.TRIVIUM_PUBLIC_URL ?? null,
    dataDir,
    databaseUrl: values.TRIVIUM_DATABASE_URL ?? `sqlite:${resolve(dataDir, 'trivium.db')}`,
    statementTimeoutMs: values.TRIVIUM_STATEMENT_TIMEOUT_MS,
    ...toStorage(values, dataDir, env),
    auth,
    corsOrigins: values.TRIVIUM_CORS_ORIGINS ?? null,
    adminKey: values.TRIVIUM_ADMIN_KEY ?? null,
    ...toVisibility(values),
    jwtSecret: values.TRIVIUM_JWT_SECRET ?? null,
    urlKeys: values.TRIVIUM_URL_KEYS ?? null,
    jwksUrl: values.TRIVIUM_JWKS_URL ?? null,
    ...toJwtSettings(values),
    usersFile: values.TRIVIUM_USERS_FILE === undefined ? null : resolve(values.TRIVIUM_USERS_FILE),
    imageBytesMax: values.TRIVIUM_IMAGE_BYTES_MAX ?? 50 * 2 ** 20,
    selfcommunityImageBytesMax: values.TRIVIUM_IMAGE_BYTES_MAX ?? 5 * 2 ** 20,
    documentBytesMax: values.TRIVIUM_DOCUMENT_BYTES_MAX,
    fileBytesMax: values.TRIVIUM_FILE_BYTES_MAX,
    ...toImageSettings(values),
    documentTypes: values.TRIVIUM_DOCUMENT_TYPES,
    uploadTtlHours: values.TRIVIUM_UPLOAD_TTL_HOURS,
    ...toRetention(values),
    ...toPreviews(values),
    jobConcurrency: values.TRIVIUM_JOB_CONCURRENCY,
    connectionsPerAddressMax: values.TRIVIUM_CONNECTIONS_PER_ADDRESS_MAX ?? null,
    bodyBytesPerSecondMin: values.TRIVIUM_BODY_BYTES_PER_SECOND_MIN,
    lockWaitSeconds: values.TRIVIUM_LOCK_WAIT_SECONDS,
    outboundAllowedHosts: values.TRIVIUM_OUTBOUND_ALLOWED_HOSTS,
    ...toLimits(values),
    isGraphiqlEnabled: (values.TRIVIUM_GRAPHIQL ?? (auth === 'open' ? 'on' : 'off')) === 'on',
    manifestFile: values.TRIVIUM_PERSISTED_ONLY ? resolve(values.TRIVIUM_PERSISTED_ONLY) : null,
    isFastPathEnabled: values.TRIVIUM_FAST_PATH === 'on',
    logLevel: values.TRIVIUM_LOG_LEVEL,
  };
}

/** Tells whether an address to listen on is reached from this machine only. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
