import { rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log, Services } from '../../domain/context.ts';
import { adoptUsers, copyUsers, importUsers } from '../../domain/viewer/user-copy.ts';
import type { Config } from '../config.ts';
import { readUsers, UserFileError } from './user-file.ts';

/** Where the users come from: the database alone, or a users' file that it has copies of. */
export interface UserSource {
  /** Makes the copies equal to the file if it has changed. A file that cannot be used is logged, and changes nothing. */
  refresh(): Promise<void>;
  /**
   * Prepares the users for a server: copies the file, and again whenever it changes; without a file, imports the one of
   * earlier versions. Throws UserFileError.
   */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** A removed user keeps access for at most this long, if nobody logs in meanwhile. */
const POLL_MS = 1000;

type Environment = Pick<Services, 'db' | 'clock'> & { log: Log };

/** Creates the source of users. */
export function createUserSource(environment: Environment, config: Config): UserSource {
  const { usersFile: path, dataDir } = config;
  if (path === null) {
    return {
      refresh: async () => undefined,
      start: async () => {
        await adoptUsers(environment);
        await importFile(environment, join(dataDir, 'users.json'));
      },
      stop: async () => undefined,
    };
  }
  return createFileSource(environment, path);
}

function createFileSource({ log, ...environment }: Environment, path: string): UserSource {
  let copied: string | null = null;
  let running: Promise<void> | null = null;
  let timer: NodeJS.Timeout | undefined;

  async function copy(): Promise<void> {
    const version = await versionOf(path);
    if (version === copied) return;
    await copyUsers(environment, await readUsers(path, 'TRIVIUM_USERS_FILE'));
    copied = version;
  }

  // One at a time; a call that comes during one waits for the next, which sees the file as it is by then.
  async function copyAlone(): Promise<void> {
    while (running !== null) await running.catch(() => undefined);
    running = copy().finally(() => {
      running = null;
    });
    await running;
  }

  let refused: string | null = null;
  async function refresh(): Promise<void> {
    try {
      await copyAlone();
      refused = null;
    } catch (error) {
      if (!(error instanceof UserFileError)) throw error;
      if (refused !== error.message) log.error({ err: error }, 'the users’ file is not used');
      refused = error.message;
    }
  }

  return {
    refresh,
    async start() {
      await copyAlone();
      const poll = () =>
        void refresh().catch((error) => log.warn({ err: error }, 'users not copied'));
      timer = setInterval(poll, POLL_MS).unref();
    },
    async stop() {
      clearInterval(timer);
      await running?.catch(() => undefined);
    },
  };
}

/** Returns a text that changes when the file does. */
async function versionOf(path: string): Promise<string> {
  try {
    const { ino, size, mtimeNs } = await stat(path, { bigint: true });
    return `${ino} ${size} ${mtimeNs}`;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 'absent';
    throw error;
  }
}

/** Moves the users of a file into the database. The file gets another name, so that it is imported once. */
async function importFile({ log, ...environment }: Environment, path: string): Promise<void> {
  if ((await versionOf(path)) === 'absent') return;
  const users = await importUsers(environment, await readUsers(path));
  const renamed = `${path}.imported`;
  await rename(path, renamed).catch((error: NodeJS.ErrnoException) => {
    // Another process has imported it at the same time.
    if (error.code !== 'ENOENT') throw error;
  });
  log.info({ users, path: renamed }, 'moved the users into the database');
}
