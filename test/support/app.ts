import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';
import type { Context, Services, Settings } from '../../src/domain/context.ts';
import { createEvents } from '../../src/domain/event/event.ts';
import { createTallies } from '../../src/domain/event/tally.ts';
import { UNOBSERVED } from '../../src/domain/observer.ts';
import { createRenderQueue } from '../../src/domain/rendition/queue.ts';
import { keySha256 } from '../../src/domain/viewer/key.ts';
import { createLogins } from '../../src/domain/viewer/logins.ts';
import { createPendingChanges } from '../../src/domain/viewer/pending.ts';
import { ANONYMOUS, type Role, type Viewer } from '../../src/domain/viewer/viewer.ts';
import { createKeyedLock } from '../../src/lib/keyed-lock.ts';
import { readFileDetails } from '../../src/media/file/read-details.ts';
import { WORK } from '../../src/media/rendition/render-work.ts';
import { type App, type AppOptions, createApp } from '../../src/start/app.ts';
import { parseConfig } from '../../src/start/config.ts';
import type { Backend } from './backend.ts';
import { checkNoOpenFiles } from './open-file.ts';
import { previewServices } from './preview.ts';
import { emptyStorage, storageVariables, withStorage } from './storage.ts';

/** A whole server, listening on its own port. */
export interface TestApp {
  url: string;
  app: App;
  services: Services;
  adminKey: string;
  dataDir: string;
  databaseUrl: string;
  /** Every SQL statement so far. Empty it before the statements to count. */
  statements: string[];
  /** Fetches a path; sends the admin's credential if `asAdmin` is true. */
  fetch(path: string, init?: RequestInit & { asAdmin?: boolean }): Promise<Response>;
}

const ADMIN_KEY = 'tvm_the-admin-key-of-the-tests';

/**
 * Runs `work` with a server on an empty database, then stops the server and deletes its data.
 * `variables` are environment variables, such as `{ TRIVIUM_AUTH: 'required' }`. Throws if a file or a
 * connection is left open.
 */
export async function withApp<T>(
  backend: Backend,
  work: (app: TestApp) => Promise<T>,
  variables: Readonly<Record<string, string>> = {},
  options: Pick<AppOptions, 'bodyPace' | 'viewerCheckMs'> = {},
): Promise<T> {
  return backend.withUrl((databaseUrl) =>
    withDirectory((dataDir) => runApp({ dataDir, databaseUrl, variables, options }, work)),
  );
}

interface AppPlace {
  dataDir: string;
  databaseUrl: string;
  variables: Readonly<Record<string, string>>;
  options: Pick<AppOptions, 'bodyPace' | 'viewerCheckMs'>;
}

async function runApp<T>(
  { dataDir, databaseUrl, variables, options }: AppPlace,
  work: (app: TestApp) => Promise<T>,
): Promise<T> {
  const config = parseConfig({
    TRIVIUM_PORT: '0',
    TRIVIUM_LOG_LEVEL: 'silent',
    // Background jobs would add their statements to those that a test counts. Tests of jobs raise this.
    TRIVIUM_JOB_CONCURRENCY: '0',
    TRIVIUM_DATA_DIR: dataDir,
    TRIVIUM_DATABASE_URL: databaseUrl,
    ...storageVariables(dataDir),
    TRIVIUM_ADMIN_KEY: ADMIN_KEY,
    ...variables,
  });
  const adminKey = config.adminKey ?? ADMIN_KEY;
  const statements: string[] = [];
  const app = await createApp(config, {
    ...options,
    onQuery: (sql) => void (isOfOperation(sql) && statements.push(sql)),
  });
  try {
    const url = await app.start();
    await waitForSweep(statements);
    const fetchPath: TestApp['fetch'] = (path, { asAdmin, ...init } = {}) => {
      const headers = new Headers(init.headers);
      if (asAdmin) headers.set('authorization', `Bearer ${adminKey}`);
      return fetch(url + path, { ...init, headers });
    };
    const { services } = app;
    return await work({
      url,
      app,
      services,
      adminKey,
      dataDir,
      databaseUrl,
      statements,
      fetch: fetchPath,
    });
  } finally {
    await app.stop();
    await emptyStorage(dataDir);
  }
}

/** Tells whether an operation makes a statement: on PostgreSQL the process reads at intervals what is being deleted. */
function isOfOperation(sql: string): boolean {
  return !sql.includes('from "deletion" join');
}

/** Waits for the sweep at start, so that a test does not count its statements. */
async function waitForSweep(statements: string[]): Promise<void> {
  // The sweep's last statement. On a server that runs jobs, statements of jobs follow it.
  const isLast = (sql: string) => sql.includes('from "file"');
  await vi.waitUntil(() => statements.some(isLast), { interval: 2 });
  statements.length = 0;
}

/** Services for operations, without HTTP: a database, blobs, a clock that stands still, predictable ids. */
export interface TestServices extends Services {
  /** Directory of the blobs, unless they are in a bucket. */
  blobDir: string;
  statements: string[];
  log: Context['log'];
  /** Every log entry so far, of every level. */
  logged: { level: string; message: string }[];
  /** Moves the clock forward; it stands still otherwise. */
  advance(ms: number): void;
  /** Returns the context of a viewer. (Default: the anonymous viewer) */
  as(viewer?: Viewer): Context;
}

/** Runs `work` with services on an empty database. `settings` override the defaults. */
export async function withServices<T>(
  backend: Backend,
  work: (services: TestServices) => Promise<T>,
  settings: Partial<Settings> = {},
): Promise<T> {
  return backend.withDb((db, statements) =>
    withDirectory((blobDir) =>
      withStorage({ db, directory: blobDir }, ({ blobs, staging }) => {
        // Those so far are of the start.
        statements.length = 0;
        return work(createTestServices({ db, blobs, staging, blobDir, statements }, settings));
      }),
    ),
  );
}

type Parts = Pick<TestServices, 'db' | 'blobs' | 'staging' | 'blobDir' | 'statements'>;

/** Creates services on the given parts. A second call with the same parts simulates a restart of the process. */
export function createTestServices(parts: Parts, settings: Partial<Settings> = {}): TestServices {
  let now = Date.now();
  let ids = 0;
  const logged: TestServices['logged'] = [];
  const note = (level: string) => (_fields: object, message: string) =>
    void logged.push({ level, message });
  const tallyOf = createTallies();
  const services: TestServices = {
    ...parts,
    logged,
    log: { info: note('info'), warn: note('warn'), error: note('error') },
    settings: { ...defaultSettings(), ...settings },
    events: createEvents(),
    observer: UNOBSERVED,
    uploadLocks: createKeyedLock(),
    uploadLeases: null,
    pending: createPendingChanges({ db: parts.db, isShared: false }),
    renders: createRenderQueue({ clock: () => now }),
    // In this process, which starts faster.
    renderer: { ...WORK, stop: async () => undefined },
    detailsReader: { read: readFileDetails, stop: async () => undefined },
    ...previewServices(),
    tallyOf,
    arrivingBytes: tallyOf('arriving bytes'),
    clock: () => now,
    advance: (ms) => {
      now += ms;
    },
    newId: () => `00000000-0000-4000-8000-${String(++ids).padStart(12, '0')}`,
    adminKeySha256: keySha256(ADMIN_KEY),
    logins: createLogins(),
    urlKeys: ['the-key-of-signed-urls-of-the-tests'],
    as: (viewer = ANONYMOUS) => ({ ...services, viewer }),
  };
  return services;
}

/** Returns a viewer who is logged in by token and has the given role. */
export function user(id = 'alice', role: Role = 'editor'): Viewer {
  return { kind: 'user', id, role };
}

function defaultSettings(): Settings {
  const { uploadTtlHours, ...config } = parseConfig({});
  return { ...config, hasWorkers: false, uploadTtlMs: uploadTtlHours * 3_600_000 };
}

async function withDirectory<T>(work: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'trivium-test-'));
  try {
    const result = await work(directory);
    await checkNoOpenFiles(directory);
    return result;
  } finally {
    await rm(directory, { recursive: true });
  }
}
