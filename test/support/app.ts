import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';
import { createFileBlobStore } from '../../src/blob/file-blob-store.ts';
import { createFileStaging } from '../../src/blob/file-staging.ts';
import type { Context, Services, Settings } from '../../src/domain/context.ts';
import { createEvents } from '../../src/domain/event/event.ts';
import { createRenderQueue } from '../../src/domain/rendition/queue.ts';
import { keySha256 } from '../../src/domain/viewer/key.ts';
import { ANONYMOUS, type Role, type Viewer } from '../../src/domain/viewer/viewer.ts';
import { createKeyedLock } from '../../src/lib/keyed-lock.ts';
import { type App, createApp } from '../../src/start/app.ts';
import { parseConfig } from '../../src/start/config.ts';
import type { Backend } from './backend.ts';
import { checkNoneOpen } from './open-file.ts';

/** A whole server that listens on a port of its own. */
export interface TestApp {
  url: string;
  app: App;
  services: Services;
  adminKey: string;
  dataDir: string;
  /** The SQL seen so far; empty it before what is to be counted. */
  statements: string[];
  /** `fetch` of a path, with the admin's credential where `asAdmin` says so. */
  fetch(path: string, init?: RequestInit & { asAdmin?: boolean }): Promise<Response>;
}

const ADMIN_KEY = 'tvm_the-admin-key-of-the-tests';

/**
 * Runs work with a server on an empty database, then stops it and deletes everything. `variables` are
 * those of the environment, `{ TRIVIUM_AUTH: 'required' }`. A file or connection left open is a failure.
 */
export async function withApp<T>(
  backend: Backend,
  work: (app: TestApp) => Promise<T>,
  variables: Readonly<Record<string, string>> = {},
): Promise<T> {
  return backend.withUrl((databaseUrl) =>
    withDirectory((dataDir) => runApp({ dataDir, databaseUrl, variables }, work)),
  );
}

interface AppPlace {
  dataDir: string;
  databaseUrl: string;
  variables: Readonly<Record<string, string>>;
}

async function runApp<T>(
  { dataDir, databaseUrl, variables }: AppPlace,
  work: (app: TestApp) => Promise<T>,
): Promise<T> {
  const config = parseConfig({
    TRIVIUM_PORT: '0',
    TRIVIUM_LOG_LEVEL: 'silent',
    // What runs by itself would mix into what a test counts; those that are about it ask for it.
    TRIVIUM_JOB_CONCURRENCY: '0',
    TRIVIUM_DATA_DIR: dataDir,
    TRIVIUM_DATABASE_URL: databaseUrl,
    TRIVIUM_ADMIN_KEY: ADMIN_KEY,
    ...variables,
  });
  const adminKey = config.adminKey ?? ADMIN_KEY;
  const statements: string[] = [];
  const app = await createApp(config, { onQuery: (sql) => statements.push(sql) });
  try {
    const url = await app.start();
    await sweepEnd(statements);
    const fetchPath: TestApp['fetch'] = (path, { asAdmin, ...init } = {}) => {
      const headers = new Headers(init.headers);
      if (asAdmin) headers.set('authorization', `Bearer ${adminKey}`);
      return fetch(url + path, { ...init, headers });
    };
    const { services } = app;
    return await work({ url, app, services, adminKey, dataDir, statements, fetch: fetchPath });
  } finally {
    await app.stop();
  }
}

/** The sweep at start would else mix its statements into those that a test counts. */
async function sweepEnd(statements: string[]): Promise<void> {
  // Its last one; of a server that runs jobs others come after it.
  const isLast = (sql: string) => sql.includes('from "file"');
  await vi.waitUntil(() => statements.some(isLast), { interval: 2 });
  statements.length = 0;
}

/** What operations work with, without HTTP: a database, blobs on disk, and time and ids that stand still. */
export interface TestServices extends Services {
  /** Where the blobs are. */
  blobDir: string;
  statements: string[];
  log: Context['log'];
  /** What was logged, worst included. */
  logged: { level: string; message: string }[];
  /** Moves the clock, which stands still otherwise. */
  advance(ms: number): void;
  /** A context of a viewer; an anonymous one by default. */
  as(viewer?: Viewer): Context;
}

/** Runs work with services on an empty database. Fields of `settings` replace the defaults. */
export async function withServices<T>(
  backend: Backend,
  work: (services: TestServices) => Promise<T>,
  settings: Partial<Settings> = {},
): Promise<T> {
  return backend.withDb((db, statements) =>
    withDirectory(async (blobDir) => {
      const blobs = await createFileBlobStore({ directory: join(blobDir, 'stored') });
      const staging = await createFileStaging({ directory: join(blobDir, 'staging'), blobs });
      return work(createTestServices({ db, blobs, staging, blobDir, statements }, settings));
    }),
  );
}

type Parts = Pick<TestServices, 'db' | 'blobs' | 'staging' | 'blobDir' | 'statements'>;

/** Services on given parts: a second call with the same parts is what a restart of the process is. */
export function createTestServices(parts: Parts, settings: Partial<Settings> = {}): TestServices {
  let now = Date.now();
  let ids = 0;
  const logged: TestServices['logged'] = [];
  const note = (level: string) => (_fields: object, message: string) =>
    void logged.push({ level, message });
  const services: TestServices = {
    ...parts,
    logged,
    log: { info: note('info'), warn: note('warn'), error: note('error') },
    settings: { ...defaultSettings(), ...settings },
    events: createEvents(),
    uploadLocks: createKeyedLock(),
    renders: createRenderQueue({ clock: () => now }),
    clock: () => now,
    advance: (ms) => {
      now += ms;
    },
    newId: () => `00000000-0000-4000-8000-${String(++ids).padStart(12, '0')}`,
    adminKeySha256: keySha256(ADMIN_KEY),
    as: (viewer = ANONYMOUS) => ({ ...services, viewer }),
  };
  return services;
}

/** A viewer by token, of the given role. */
export function user(id = 'alice', role: Role = 'editor'): Viewer {
  return { kind: 'user', id, role };
}

function defaultSettings(): Settings {
  const { uploadTtlHours, ...config } = parseConfig({});
  return { ...config, uploadTtlMs: uploadTtlHours * 3_600_000 };
}

async function withDirectory<T>(work: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'trivium-test-'));
  try {
    const result = await work(directory);
    await checkNoneOpen(directory);
    return result;
  } finally {
    await rm(directory, { recursive: true });
  }
}
