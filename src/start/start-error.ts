import { join } from 'node:path';
import { DatabaseUnavailableError } from '../store/error.ts';
import type { Config } from './config.ts';

/** The server cannot start because of its surroundings. The message names the setting, and contains no secret. */
export class StartError extends Error {
  override readonly name = 'StartError';
  /** Marks it as an error to print without its stack. */
  readonly code = 'START_FAILED';
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EEXIST: 'it is a file',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of the path is a file',
  ENOENT: 'it cannot be created there',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space is left on the device',
  EDQUOT: 'the disk quota is exceeded',
  ELOOP: 'too many symbolic links',
  ENAMETOOLONG: 'the path is too long',
};

/** Returns the reason of an error of the system in words, with its code. */
export function reasonOf(error: unknown): string {
  const code = codeOf(error);
  const words = REASONS[code];
  if (words !== undefined) return `${words} (${code})`;
  return error instanceof Error ? error.message : String(error);
}

/** Returns the code of an error, of the system or of a database; `''` if it has none. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

type Database = Pick<Config, 'databaseUrl' | 'dataDir'>;

/** Opens a database with `open`; its error names the database and its setting. */
export function openNamed<T>(config: Database, open: () => T): T {
  try {
    return open();
  } catch (error) {
    throw toDatabaseError(error, config);
  }
}

/** Converts the error of a database that cannot be opened into one that names the database and its setting. */
export function toDatabaseError(error: unknown, config: Database): unknown {
  const { databaseUrl } = config;
  const message = databaseUrl.startsWith('sqlite:')
    ? sqliteMessage(error, config)
    : postgresMessage(error, databaseUrl);
  return message === null ? error : new StartError(message, { cause: error });
}

/** Returns the name of the setting that decides where the SQLite file is. */
export function databaseSetting({ databaseUrl, dataDir }: Database): string {
  const isDefault = databaseUrl === `sqlite:${join(dataDir, 'trivium.db')}`;
  return isDefault ? 'TRIVIUM_DATA_DIR' : 'TRIVIUM_DATABASE_URL';
}

function sqliteMessage(error: unknown, config: Database): string | null {
  const path = config.databaseUrl.slice('sqlite:'.length);
  const code = codeOf(error);
  const setting = databaseSetting(config);
  if (code === 'SQLITE_NOTADB') return `${path} is not a SQLite database (${setting}).`;
  if (code.startsWith('SQLITE_CORRUPT'))
    return `The database ${path} is damaged (${setting}): restore a backup.`;
  if (code.startsWith('SQLITE_READONLY'))
    return `The database ${path} cannot be written (${setting}): permission denied, or read-only.`;
  if (!/^SQLITE_(CANTOPEN|FULL|IOERR|PERM|AUTH)/.test(code)) return null;
  return `The database ${path} cannot be opened (${setting}): ${reasonOf(error)} (${code}).`;
}

/** What an administrator can do about an error of PostgreSQL, or of the connection to it. */
const HINTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused; is PostgreSQL running there?',
  ENOTFOUND: 'the host name is unknown',
  EAI_AGAIN: 'the host name cannot be resolved at the moment',
  ETIMEDOUT: 'no response',
  EHOSTUNREACH: 'the host is not reachable',
  ENETUNREACH: 'the network is not reachable',
  '3D000': 'there is no such database; `createdb` creates one',
  '28P01': 'the user or the password is wrong',
  '28000': 'the login is refused',
  42501: 'permission denied',
};

function postgresMessage(error: unknown, url: string): string | null {
  const cause = error instanceof DatabaseUnavailableError ? error.cause : error;
  // A host name with several addresses has an error for each.
  const first = cause instanceof AggregateError ? cause.errors[0] : cause;
  const hint = HINTS[codeOf(first)];
  if (hint === undefined && !(error instanceof DatabaseUnavailableError)) return null;
  const text = first instanceof Error ? first.message : String(first);
  const reason = hint === undefined ? text : `${hint} (${text})`;
  return `The database cannot be reached: ${withoutPassword(url)} (TRIVIUM_DATABASE_URL): ${reason}`;
}

/** Returns the URL of a PostgreSQL database without its password and parameters. */
export function withoutPassword(url: string): string {
  if (!URL.canParse(url)) return 'PostgreSQL';
  const { protocol, username, host, pathname } = new URL(url);
  return `${protocol}//${username === '' ? '' : `${username}@`}${host}${pathname}`;
}
