import { encodeGlobalId } from '../src/graphql/id.ts';
import { createApp } from '../src/start/app.ts';
import { parseConfig } from '../src/start/config.ts';
import type { openDb } from '../src/store/db.ts';
import { BIG_IDS, type ListOperation, listOperations, type Places } from './million-lists.ts';
import { bearerToken, JWT_SECRET, type ServerSetup } from './server.ts';

const ADMIN_KEY = 'tvm_the-admin-key-of-the-benchmark';

/** A server of one of the databases, and the lists that it is asked for. */
export interface MeasuredServer {
  operations: ListOperation[];
  /** Requests a list. Returns the time in the database, in ms. */
  request(operation: ListOperation): Promise<number>;
}

/** Runs `work` with a server of each of these databases. */
export async function withServers(
  { scratch }: ServerSetup,
  databaseUrls: readonly string[],
  work: (servers: MeasuredServer[]) => Promise<void>,
): Promise<void> {
  const editor = await bearerToken();
  const started: { server: MeasuredServer; stop: () => Promise<void> }[] = [];
  try {
    for (const [index, url] of databaseUrls.entries())
      started.push(await startServer(scratch.path(`million-${index}`), url, editor));
    await work(started.map(({ server }) => server));
  } finally {
    for (const { stop } of started) await stop();
  }
}

/** Starts a server of a database. `onQuery` is also told of each statement. */
export async function startServer(
  dataDir: string,
  databaseUrl: string,
  editor: string,
  onQuery?: (sql: string, ms: number) => void,
) {
  let databaseMs = 0;
  const config = parseConfig({
    TRIVIUM_PORT: '0',
    TRIVIUM_LOG_LEVEL: 'silent',
    TRIVIUM_JOB_CONCURRENCY: '0',
    TRIVIUM_DATA_DIR: dataDir,
    TRIVIUM_DATABASE_URL: databaseUrl,
    TRIVIUM_ADMIN_KEY: ADMIN_KEY,
    TRIVIUM_JWT_SECRET: JWT_SECRET,
    TRIVIUM_AUTH: 'open',
  });
  const app = await createApp(config, {
    onQuery: (sql, ms) => {
      databaseMs += ms;
      onQuery?.(sql, ms);
    },
  });
  // Not `start()`: the sweep of the start reads all files, whose bytes are missing here, and would be measured too.
  const url = await app.server.listen({ host: config.host, port: config.port });
  const operations = listOperations(await readPlaces(app.services.db));
  const request = async (operation: ListOperation) => {
    databaseMs = 0;
    await send(url, operation, editor);
    return databaseMs;
  };
  return { server: { operations, request }, stop: () => app.stop() };
}

async function send(
  url: string,
  { path, query, isAnonymous, isEditor, name }: ListOperation,
  editor: string,
): Promise<void> {
  const authorization = isEditor ? editor : `Bearer ${ADMIN_KEY}`;
  const headers = new Headers(isAnonymous ? {} : { authorization });
  if (query !== undefined) headers.set('content-type', 'application/json');
  const body = query === undefined ? {} : { method: 'POST', body: JSON.stringify({ query }) };
  const response = await fetch(url + path, { headers, ...body });
  const text = await response.text();
  if (!response.ok || text.startsWith('{"errors"'))
    throw new Error(`${name}: ${response.status} ${text.slice(0, 500)}`);
}

/** Returns what the operations ask for in a seeded database. */
export async function readPlaces(db: ReturnType<typeof openDb>): Promise<Places> {
  const { uuid } = await db
    .selectFrom('media')
    .where('id', '=', BIG_IDS.folder)
    .select('uuid')
    .executeTakeFirstOrThrow();
  const { media_id } = await db
    .selectFrom('job')
    .where('media_id', 'is not', null)
    .select('media_id')
    .limit(1)
    .executeTakeFirstOrThrow();
  return {
    folderUuid: uuid,
    folderId: encodeGlobalId('Folder', BIG_IDS.folder),
    tagId: encodeGlobalId('Tag', BIG_IDS.tag),
    mediaId: encodeGlobalId('Media', Number(media_id)),
  };
}
