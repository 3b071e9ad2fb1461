import autocannon from 'autocannon';
import { compare, type Round } from './compare.ts';
import { Connection } from './connection.ts';
import { rssBytes } from './process-status.ts';
import { formatMib, printStandings } from './report.ts';
import { MEDIA_COUNT, seed } from './seed.ts';
import { bearerToken, PUBLIC_URL, type ServerSetup, startLimit, startTrivium } from './server.ts';

export interface ReadOptions {
  rounds: number;
  /** Length of a round. */
  seconds: number;
  connections: number;
}

const PAGE_SIZE = 50;

const QUERY = `{
  medias(first: ${PAGE_SIZE}) {
    nodes {
      id databaseId uuid name type title createdAt
      file { filename mimeType sizeBytes md5 width height url }
    }
    pageInfo { hasNextPage endCursor }
  }
}`;

/** A request that can be sent over and over. */
export interface Read {
  url: string;
  method: 'GET' | 'POST';
  path: string;
  headers?: Record<string, string>;
  body?: string;
}

/** 50 media with their file, through GraphQL and by hand, from the same database file. */
export async function benchReads(setup: ServerSetup, options: ReadOptions): Promise<void> {
  const databasePath = await seed(setup.scratch.path('reads'));
  const trivium = await startTrivium(setup, 'reads');
  const graphql: Read = {
    url: trivium.url,
    method: 'POST',
    path: '/graphql',
    headers: { authorization: await bearerToken(), 'content-type': 'application/json' },
    body: JSON.stringify({ query: QUERY }),
  };
  const script = new URL('./limit-server.ts', import.meta.url);
  const extensions = await readExtensions(graphql);
  const limit = await startLimit(setup, script, databasePath, PUBLIC_URL, extensions);
  const byHand: Read = { url: limit.url, method: 'GET', path: `/medias?first=${PAGE_SIZE}` };
  const sizeBytes = await checkSame(byHand, graphql);
  const standings = await compare(
    [
      {
        name: 'limit: node:http + SQLite',
        isLimit: true,
        pid: limit.pid,
        run: () => load(byHand, options),
      },
      {
        name: 'Trivium GraphQL',
        isLimit: false,
        pid: trivium.pid,
        run: () => load(graphql, options),
      },
    ],
    options.rounds,
  );
  const title = `${PAGE_SIZE} media with their file of ${MEDIA_COUNT.toLocaleString('en')}`;
  const how = `${sizeBytes.toLocaleString('en')} bytes, ${options.connections} connections`;
  printStandings(`R  ${title} (${how})`, 'req/s', standings);
  console.log(`  RSS of the server afterwards: ${formatMib(rssBytes(trivium.pid))} MiB`);
  await Promise.all([trivium.stop(), limit.stop()]);
}

/** What stands beside the data, such as the query's cost: the limit is told, and sends the same bytes. */
async function readExtensions(ours: Read): Promise<string> {
  const { extensions } = JSON.parse(await fetchOnce(ours)) as { extensions?: object };
  return extensions === undefined ? '' : JSON.stringify(extensions);
}

/** Throws unless both answer the same, byte for byte. Answers how many bytes that is. */
async function checkSame(limit: Read, ours: Read): Promise<number> {
  const [expected, actual] = await Promise.all([fetchOnce(limit), fetchOnce(ours)]);
  if (expected === actual) return Buffer.byteLength(expected);
  const at = [...expected].findIndex((character, index) => character !== actual[index]);
  const excerpt = (text: string) => text.slice(Math.max(0, at - 100), at + 200);
  throw new Error(
    `The answers differ at ${at}.\nlimit:   …${excerpt(expected)}\nTrivium: …${excerpt(actual)}`,
  );
}

/** One answer. */
export async function fetchOnce({ url, method, path, headers, body }: Read): Promise<string> {
  const connection = await Connection.open(url);
  try {
    const request = { method, path, ...(headers && { headers }) };
    const pieces = body === undefined ? [] : [Buffer.from(body)];
    return (await connection.request({ ...request, body: pieces })).body;
  } finally {
    connection.close();
  }
}

/** As many requests as the server answers, over so many connections, for so long. */
export async function load(read: Read, { seconds, connections }: ReadOptions): Promise<Round> {
  const { url, path, ...request } = read;
  const options = { url: url + path, ...request, connections, duration: seconds };
  const { promise, resolve, reject } = Promise.withResolvers<autocannon.Result>();
  const latenciesMs: number[] = [];
  const startedAt = performance.now();
  const instance = autocannon(options, (error, result) =>
    error ? reject(error) : resolve(result),
  );
  // Its own histogram knows whole milliseconds only.
  instance.on('response', (_client, _status, _sizeBytes, ms) => latenciesMs.push(ms));
  const { errors, timeouts, non2xx } = await promise;
  if (errors + timeouts + non2xx > 0) {
    throw new Error(`${url}: ${errors} errors, ${timeouts} timeouts, ${non2xx} not 2xx`);
  }
  const elapsedSeconds = (performance.now() - startedAt) / 1000;
  return { amount: latenciesMs.length, seconds: elapsedSeconds, latenciesMs };
}
