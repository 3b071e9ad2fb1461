import { type ExecFileException, execFile } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { chmod, chown, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { userInfo } from 'node:os';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A PostgreSQL server of one test. */
export interface OwnPostgres {
  /** A database of it. */
  url: string;
  /** Stops it as a crash does: every connection breaks, nothing is written. */
  crash(): Promise<void>;
  start(): Promise<void>;
}

/** The folder of PostgreSQL's programs, or undefined if it is not installed. */
export const POSTGRES_PROGRAMS = globSync('/usr/lib/postgresql/*/bin').find((folder) =>
  existsSync(`${folder}/initdb`),
);

/** Runs `work` with a new server that listens on a free port, then stops it and deletes its files. */
export async function withOwnPostgres<T>(work: (server: OwnPostgres) => Promise<T>): Promise<T> {
  const directory = await mkdtemp('/tmp/trivium-own-postgres-');
  const user = await handOver(directory);
  const port = await freePort();
  const data = `${directory}/data`;
  const control = (...args: string[]) => runAs(user, 'pg_ctl', ['-D', data, '-w', ...args]);
  const options = `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=${directory} -c fsync=off`;
  const start = () => control('-l', `${directory}/log`, '-o', options, 'start');
  const crash = () => control('-m', 'immediate', 'stop');
  await runAs(user, 'initdb', ['-D', data, '-A', 'trust', '-U', 'postgres', '-N', '-E', 'UTF8']);
  await start();
  try {
    return await work({ url: `postgres://postgres@127.0.0.1:${port}/postgres`, crash, start });
  } finally {
    await crash().catch(() => undefined);
    await rm(directory, { recursive: true });
  }
}

/** PostgreSQL does not run as root. Returns the user that it runs as, or null for the current one. */
async function handOver(directory: string): Promise<string | null> {
  if (userInfo().uid !== 0) return null;
  const ids = await Promise.all(['-u', '-g'].map((flag) => run('id', [flag, 'postgres'])));
  const [uid = 0, gid = 0] = ids.map(({ stdout }) => Number(stdout));
  await chown(directory, uid, gid);
  await chmod(directory, 0o700);
  return 'postgres';
}

async function runAs(user: string | null, program: string, args: string[]): Promise<void> {
  const path = `${POSTGRES_PROGRAMS}/${program}`;
  const [command, all] =
    user === null ? [path, args] : ['runuser', ['-u', user, '--', path, ...args]];
  await new Promise<void>((resolve, reject) => {
    // The server inherits the streams of `pg_ctl`, so that only its exit tells that it is done.
    const child = execFile(command, all, { cwd: '/tmp' });
    child.on('exit', (code) => (code === 0 ? resolve() : reject(failure(program, code))));
    child.on('error', reject);
  });
}

function failure(program: string, code: ExecFileException['code'] | null): Error {
  return new Error(`${program} ended with ${code}.`);
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
