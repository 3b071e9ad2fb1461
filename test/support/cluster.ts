import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { sweep } from '../../src/domain/file/sweep.ts';
import { expireUploads } from '../../src/domain/upload/expire.ts';
import { createApp } from '../../src/start/app.ts';
import { parseConfig } from '../../src/start/config.ts';
import { withOwnPostgres } from './own-postgres.ts';
import { spawnNode, withDataDir } from './process.ts';
import { withS3Process } from './s3-process.ts';
import { type S3State, TEST_CREDENTIALS, TEST_REGION } from './s3-server.ts';
import { type TcpProxy, withTcpProxy } from './tcp-proxy.ts';

/** Server processes that share a database and a bucket. */
export interface Cluster {
  /** Returns the URL of a random process, which may be dead at the moment. */
  anyUrl(): string;
  /** Kills a random process that runs as `kill -9` does, and starts it again. Returns false if none runs. */
  killOne(): Promise<boolean>;
  database: TcpProxy;
  bucket: TcpProxy;
  /** Returns what the bucket holds. */
  s3State(): Promise<S3State>;
  adminKey: string;
  /** Stops all processes, ends all open uploads and sweeps. Returns the rows that staged bytes have left behind. */
  sweepAll(): Promise<number>;
}

type Variables = Record<string, string>;

const ADMIN_KEY = 'tvm_the-admin-key-of-the-tests';

/** Runs `work` with so many processes, then kills them. */
export function withCluster<T>(count: number, work: (cluster: Cluster) => Promise<T>): Promise<T> {
  return withOwnPostgres((postgres) =>
    withS3Process((s3) =>
      withTcpProxy(postgres.url, (database) =>
        withTcpProxy(s3.url, (bucket) =>
          withDataDir(async (dataDir) => {
            const toVariables = (url: string, endpoint: string): Variables => ({
              TRIVIUM_DATABASE_URL: url,
              TRIVIUM_STORAGE_URL: `s3://trivium/library?endpoint=${endpoint}&region=${TEST_REGION}&path-style=true`,
              AWS_ACCESS_KEY_ID: TEST_CREDENTIALS.accessKeyId,
              AWS_SECRET_ACCESS_KEY: TEST_CREDENTIALS.secretAccessKey,
              TRIVIUM_ADMIN_KEY: ADMIN_KEY,
              TRIVIUM_AUTH: 'required',
              TRIVIUM_LOG_LEVEL: 'info',
              TRIVIUM_RATE_REQUESTS: '0',
              TRIVIUM_JOB_CONCURRENCY: '1',
            });
            const endpoint = new URL(bucket.through(s3.url)).origin;
            const variables = toVariables(database.through(postgres.url), endpoint);
            const members = await startMembers(count, dataDir, variables);
            try {
              return await work({
                anyUrl: () => randomOf(members).url,
                async killOne() {
                  const running = members.filter(({ isRunning }) => isRunning());
                  if (running.length === 0) return false;
                  await randomOf(running).restart();
                  return true;
                },
                database,
                bucket,
                s3State: s3.state,
                adminKey: ADMIN_KEY,
                async sweepAll() {
                  await Promise.all(members.map(({ stop }) => stop()));
                  return sweepOnce(join(dataDir, 'sweep'), toVariables(postgres.url, s3.url));
                },
              });
            } finally {
              await Promise.all(members.map(({ stop }) => stop()));
            }
          }),
        ),
      ),
    ),
  );
}

interface Member {
  url: string;
  /** Whether it has started, and was not killed since. */
  isRunning(): boolean;
  restart(): Promise<void>;
  stop(): Promise<void>;
}

async function startMembers(count: number, dataDir: string, variables: Variables) {
  const first = await startMember({ ...variables, TRIVIUM_DATA_DIR: join(dataDir, '0') });
  const others = Array.from({ length: count - 1 }, (_, index) =>
    startMember({ ...variables, TRIVIUM_DATA_DIR: join(dataDir, String(index + 1)) }),
  );
  return [first, ...(await Promise.all(others))];
}

async function startMember(variables: Variables): Promise<Member> {
  let child = await launch(variables);
  const end = async () => {
    if (child.process.exitCode !== null || child.process.signalCode !== null) return;
    child.process.kill('SIGKILL');
    await once(child.process, 'exit');
  };
  let isRunning = true;
  const member: Member = {
    url: child.url,
    isRunning: () => isRunning,
    async restart() {
      isRunning = false;
      await end();
      child = await launch(variables);
      member.url = child.url;
      isRunning = true;
    },
    stop: end,
  };
  return member;
}

/** Starts a process again and again: the database may have been cut while it started. */
async function launch(variables: Variables) {
  for (;;) {
    const process = spawnNode(['src/main.js', 'serve'], { TRIVIUM_PORT: '0', ...variables });
    process.stderr?.resume();
    for await (const line of createInterface({ input: process.stdout! })) {
      const { url } = JSON.parse(line);
      if (url === undefined) continue;
      process.stdout?.resume();
      return { process, url: String(url) };
    }
  }
}

async function sweepOnce(dataDir: string, variables: Variables): Promise<number> {
  const config = { ...variables, TRIVIUM_PORT: '0', TRIVIUM_LOG_LEVEL: 'silent' };
  const app = await createApp(
    parseConfig({ ...config, TRIVIUM_DATA_DIR: dataDir, TRIVIUM_JOB_CONCURRENCY: '0' }),
  );
  try {
    const { db } = app.services;
    await db.updateTable('upload').set({ expires_at: 0 }).where('status', '=', 'open').execute();
    await expireUploads(app.services);
    const services = { ...app.services, log: app.log };
    await sweep(services, { modifiedBefore: Date.now() + 1000 });
    return (await db.selectFrom('staged').selectAll().execute()).length;
  } finally {
    await app.stop();
  }
}

function randomOf<T>(all: readonly T[]): T {
  return all[Math.floor(Math.random() * all.length)] as T;
}
