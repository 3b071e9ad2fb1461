import { type Contender, compare, type Round } from './compare.ts';
import { type ClientRequest, Connection } from './connection.ts';
import { type Operation, readOperations, WRITE_OPERATION } from './operation.ts';
import { rssBytes } from './process-status.ts';
import { createPostgres, dropPostgres } from './reads-postgres.ts';
import { formatMib, print, printStandings } from './report.ts';
import type { RunningServer } from './scratch.ts';
import { seed } from './seed.ts';
import { bearerToken, PUBLIC_URL, type ServerSetup, startLimit, startTrivium } from './server.ts';

export interface ReadOptions {
  rounds: number;
  /** Length of a round. */
  seconds: number;
  connections: number;
  /** Operations whose title contains this; empty: all. */
  only: string;
  /** Another checkout, installed, that is measured too; null: none. */
  before: URL | null;
  /** `sqlite`: our server is not measured on PostgreSQL; otherwise it is, if there is a `TEST_POSTGRES_URL`. */
  database: 'sqlite' | 'postgres' | 'both';
}

/** A server under load, and how it is asked. */
interface Target {
  name: string;
  isLimit: boolean;
  server: RunningServer;
  toRequest: (operation: Operation, variables: Record<string, unknown>) => ClientRequest;
}

/**
 * R1 to R3 and W1 through GraphQL, by hand, and through bare Yoga with DataLoader and the same SQL, each on a
 * copy of the same database. Every answer's bytes are compared before anything is timed.
 */
export async function benchReads(setup: ServerSetup, options: ReadOptions): Promise<void> {
  const dataSet = await seed(setup.scratch.path('reads'));
  await seed(setup.scratch.path('others'));
  const databasePath = setup.scratch.path('others/trivium.db');
  const authorization = await bearerToken('admin');
  const trivium = await startTrivium(setup, 'reads');
  const ours = graphqlTarget('Trivium', trivium, { authorization });
  const operations = [...readOperations(dataSet), WRITE_OPERATION];
  const extensions = await readExtensions(ours, operations);
  const limitScript = new URL('./limit-server.ts', import.meta.url);
  const yogaScript = new URL('./yoga-server.ts', import.meta.url);
  const answers = JSON.stringify(extensions);
  const limit = await startLimit(setup, limitScript, databasePath, PUBLIC_URL, answers);
  const yoga = await startLimit(setup, yogaScript, databasePath, PUBLIC_URL);
  const before = await startBefore(setup, options.before);
  const postgres = await startOnPostgres(setup, options);
  const targets = [
    limitTarget('limit: node:http + SQLite', limit),
    graphqlTarget('bare Yoga + DataLoader', yoga, {}, true),
    ours,
    ...(before ? [graphqlTarget('Trivium before', before, { authorization }, true)] : []),
    ...(postgres
      ? [graphqlTarget('Trivium on PostgreSQL', postgres, { authorization }, true)]
      : []),
  ];
  for (const operation of operations) {
    if (!`${operation.name}  ${operation.title}`.includes(options.only)) continue;
    if (operation !== WRITE_OPERATION) await checkSame(targets, operation);
    const standings = await compare(
      targets.map((target) => toContender(target, operation, options)),
      options.rounds,
    );
    const how = `${options.connections} connections`;
    printStandings(`${operation.name}  ${operation.title} (${how})`, 'req/s', standings);
  }
  for (const { name, server } of targets) {
    print(`  RSS afterwards, ${name}: ${formatMib(rssBytes(server.pid))} MiB`);
  }
  await Promise.all(targets.map(({ server }) => server.stop()));
  if (postgres) await dropPostgres();
}

/** Our server on PostgreSQL, which runs on whatever core is free. Its own processor time is not counted. */
async function startOnPostgres(
  setup: ServerSetup,
  { database }: ReadOptions,
): Promise<RunningServer | null> {
  const url = database === 'sqlite' ? null : await createPostgres();
  if (url === null) return null;
  return startTrivium(setup, 'postgres', { TRIVIUM_DATABASE_URL: url });
}

/** The server of another checkout, with the data of that checkout's own `bench/seed.ts`. */
async function startBefore(
  setup: ServerSetup,
  checkout: URL | null,
): Promise<RunningServer | null> {
  if (checkout === null) return null;
  const theirs: { seed: typeof seed } = await import(new URL('bench/seed.ts', checkout).href);
  await theirs.seed(setup.scratch.path('before'));
  return startTrivium(setup, 'before', {}, checkout);
}

function graphqlTarget(
  name: string,
  server: RunningServer,
  credentials: Record<string, string>,
  isLimit = false,
): Target {
  const headers = { ...credentials, 'content-type': 'application/json' };
  return {
    name,
    isLimit,
    server,
    toRequest: ({ query }, variables) => ({
      method: 'POST',
      path: '/graphql',
      headers,
      body: [Buffer.from(JSON.stringify({ query, variables }))],
    }),
  };
}

function limitTarget(name: string, server: RunningServer): Target {
  const toRequest: Target['toRequest'] = ({ limitPath }, variables) => ({
    method: 'GET',
    path: limitPath(variables),
  });
  return { name, isLimit: true, server, toRequest };
}

function toContender(target: Target, operation: Operation, options: ReadOptions): Contender {
  const variables = repeat(operation.variables);
  const next = () => target.toRequest(operation, variables.next().value);
  const { name, isLimit, server } = target;
  return { name, isLimit, pid: server.pid, run: () => load(server.url, next, options) };
}

function* repeat<Item>(items: () => Iterable<Item>): Generator<Item, never> {
  for (;;) yield* items();
}

/** What our answers hold beside the data, such as the cost: the limit sends the same bytes. */
async function readExtensions(
  target: Target,
  operations: readonly Operation[],
): Promise<Record<string, unknown>> {
  const entries = operations.map(async (operation) => {
    const [variables = {}] = operation.variables();
    const { extensions } = JSON.parse(await fetchOnce(target, operation, variables));
    return [operation.name, extensions];
  });
  return Object.fromEntries(await Promise.all(entries));
}

/** Throws unless the limit's answers are ours, byte for byte, and Yoga's have the same data. */
async function checkSame(targets: readonly Target[], operation: Operation): Promise<void> {
  for (const variables of operation.variables()) {
    const answers = await Promise.all(
      targets.map((target) => fetchOnce(target, operation, variables)),
    );
    const [limit = '', yoga = '', ours = '', ...others] = answers;
    requireSame(operation.name, limit, ours);
    for (const other of [yoga, ...others]) requireSame(operation.name, dataOf(other), dataOf(ours));
  }
}

const dataOf = (answer: string) => JSON.stringify(JSON.parse(answer).data);

function requireSame(name: string, expected: string, actual: string): void {
  if (expected === actual) return;
  const at = [...expected].findIndex((character, index) => character !== actual[index]);
  const excerpt = (text: string) => text.slice(Math.max(0, at - 100), at + 200);
  throw new Error(
    `${name}: the answers differ at ${at}.\n…${excerpt(expected)}\n…${excerpt(actual)}`,
  );
}

async function fetchOnce(
  { server, toRequest }: Target,
  operation: Operation,
  variables: Record<string, unknown>,
): Promise<string> {
  return fetchBody(server.url, toRequest(operation, variables));
}

/** The body of one answer. Throws unless its status is 200. */
export async function fetchBody(url: string, request: ClientRequest): Promise<string> {
  const connection = await Connection.open(url);
  try {
    const { status, body } = await connection.request(request);
    if (status !== 200) throw new Error(`${request.path}: ${status} ${body.slice(0, 1000)}`);
    return body;
  } finally {
    connection.close();
  }
}

/** As many requests as the server answers, over so many connections, for so long. */
export async function load(
  url: string,
  next: () => ClientRequest,
  { seconds, connections: count }: ReadOptions,
): Promise<Round> {
  const connections = await Promise.all(Array.from({ length: count }, () => Connection.open(url)));
  const startedAt = performance.now();
  const deadline = startedAt + seconds * 1000;
  await Promise.all(
    connections.map(async (connection) => {
      while (performance.now() < deadline) {
        const { status, body } = await connection.request(next());
        // An error of GraphQL is answered with 200 too.
        if (status === 200 && !body.includes('"errors"') && !body.includes('"code"')) continue;
        throw new Error(`${url}: ${status} ${body.slice(0, 1000)}`);
      }
      connection.close();
    }),
  );
  const latenciesMs = connections.flatMap((connection) => connection.latenciesMs);
  const elapsedSeconds = (performance.now() - startedAt) / 1000;
  return { amount: latenciesMs.length, seconds: elapsedSeconds, latenciesMs };
}
