import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { vi } from 'vitest';
import type { Backend } from './backend.ts';
import { type ServerProcess, withDataDir, withServerProcess } from './process.ts';
import { sendWith } from './raw-request.ts';

/** The admin key of servers with workers. */
export const WORKERS_ADMIN_KEY = 'tvm_the-admin-key-of-the-tests';

/** A server of several worker processes. */
export interface WorkerServer extends ServerProcess {
  variables: Readonly<Record<string, string>>;
  /** Returns the ids of the worker processes; the oldest is first. */
  workers(): number[];
}

/** Runs `work` with a server of three workers on an empty database, then kills it. */
export function withWorkers(
  backend: Backend,
  work: (server: WorkerServer) => Promise<void>,
  settings: Readonly<Record<string, string>> = {},
): Promise<void> {
  return backend.withUrl((TRIVIUM_DATABASE_URL) =>
    withDataDir((TRIVIUM_DATA_DIR) => {
      const variables = {
        ...{ TRIVIUM_DATA_DIR, TRIVIUM_DATABASE_URL, TRIVIUM_WORKERS: '3' },
        ...{ TRIVIUM_ADMIN_KEY: WORKERS_ADMIN_KEY, ...settings },
      };
      return withServerProcess(variables, async (server) => {
        const { pid } = server.child;
        const all = new Set<number>();
        const workers = () => {
          const found = childrenOf(Number(pid));
          for (const child of found) all.add(child);
          return found;
        };
        try {
          await work(Object.assign(server, { variables, workers }));
        } finally {
          workers();
          server.child.kill('SIGKILL');
          await vi.waitUntil(() => [...all].every(hasEnded), { timeout: 30_000 });
        }
      });
    }),
  );
}

/** Tells whether a process has ended; one that nobody has waited for counts. */
export function hasEnded(pid: number): boolean {
  const path = `/proc/${pid}/stat`;
  if (!existsSync(path)) return true;
  try {
    return / Z /.test(readFileSync(path, 'utf8'));
  } catch {
    return true;
  }
}

/** Returns the worker that has the connection which a client of this machine made from this port. */
export function workerAt(server: WorkerServer, port: number): number {
  const peer = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const rows = readFileSync('/proc/net/tcp', 'utf8').split('\n');
  const row = rows.map((line) => line.trim().split(/\s+/)).find((row) => row[2]?.endsWith(peer));
  const isConnection = (link: string) => link === `socket:[${row?.[9]}]`;
  const found = server.workers().find((pid) => linksOf(pid).some(isConnection));
  if (found === undefined) throw new Error(`No worker has the connection from port ${port}.`);
  return found;
}

/** Returns what a process has open. */
function linksOf(pid: number): string[] {
  const directory = `/proc/${pid}/fd`;
  return readdirSync(directory).map((fd) => {
    try {
      return readlinkSync(`${directory}/${fd}`);
    } catch {
      return '';
    }
  });
}

function childrenOf(pid: number): number[] {
  const path = `/proc/${pid}/task/${pid}/children`;
  if (!existsSync(path)) return [];
  const ids = readFileSync(path, 'utf8').trim();
  return ids === ''
    ? []
    : ids
        .split(' ')
        .map(Number)
        .toSorted((a, b) => a - b);
}

/** Sends a request over a connection of its own: another worker than that of the request before answers it. */
export function askNext(
  server: Pick<ServerProcess, 'url'>,
  line: string,
  { key = WORKERS_ADMIN_KEY, body }: { key?: string; body?: object } = {},
) {
  const headers = {
    connection: 'close',
    ...(key !== '' && { authorization: `Bearer ${key}` }),
    ...(body && { 'content-type': 'application/json' }),
  };
  return sendWith(server, line, headers, body && JSON.stringify(body));
}

/** Runs a GraphQL operation as `askNext` does. Returns its data. */
export async function runNext(
  server: Pick<ServerProcess, 'url'>,
  query: string,
  variables: object = {},
  // biome-ignore lint/suspicious/noExplicitAny: the assertions of a test state the shape
): Promise<any> {
  const answer = await askNext(server, 'POST /graphql', { body: { query, variables } });
  const { data, errors } = JSON.parse(answer.body);
  if (data === undefined || errors !== undefined) throw new Error(answer.body);
  return data;
}
