import { setTimeout as sleep } from 'node:timers/promises';
import { openDb } from '../src/store/db.ts';
import { type ClientRequest, Connection } from './connection.ts';
import type { Places } from './million-lists.ts';
import { BIG_TAG_ID } from './million-seed.ts';
import { ATTACKS, type Attack } from './neighbour-attack.ts';
import { createDatabase } from './neighbour-database.ts';
import { type Neighbours, quantiles, startNeighbours } from './neighbour-probe.ts';
import {
  GENERATORS,
  type Genes,
  mutate,
  randomGenes,
  type WorstRequest,
} from './neighbour-request.ts';
import type { Victim } from './neighbour-wire.ts';
import { binaryPayload } from './payload.ts';
import { print, printTable } from './report.ts';
import { sendWhole } from './sender/graphql.ts';
import { bearerToken, type ServerSetup, startTrivium } from './server.ts';

export interface NeighbourOptions {
  /** Only generators whose name contains this. */
  only: string;
  database: 'sqlite' | 'postgres' | 'both';
  /** Parent of the directory that keeps seeded SQLite databases. */
  dir: string;
  /** Media in the database. */
  size: number;
  /** Requests that are tried for each dialect. */
  tries: number;
}

/** The limit of the 99th percentile. */
const WAIT_MS_MAX = 100;
const QUIET_MS = 3000;
/** The first part of the tries is random; the rest changes the worst so far. */
const RANDOM_SHARE = 0.4;
/** The worst request is measured again so many times, as one wait may be the machine's. */
const REPEATS = 10;
const ATTACK_REPEATS = 10;
const DOWNLOAD_BYTES = 20 * 1024;

interface Target {
  /** Sends a request on a connection of its own. */
  send: (request: WorstRequest) => Promise<{ status: number; bytes: number; ms: number }>;
  neighbours: Neighbours;
  places: Places;
  victim: Victim;
}

/**
 * Searches for the request of each dialect that delays other requests most, and prints how long `/healthz`, one media item
 * and a small download waited while it ran; and the same while a large folder and a tag are deleted.
 */
export async function benchNeighbours(
  setup: ServerSetup,
  options: NeighbourOptions,
): Promise<void> {
  const postgres = process.env.TEST_POSTGRES_URL ?? null;
  if (options.database !== 'postgres') await benchOn(setup, options, null);
  if (options.database === 'sqlite') return;
  if (postgres !== null) await benchOn(setup, options, postgres);
  else print('\nNo TEST_POSTGRES_URL: nothing is measured on PostgreSQL.');
}

async function benchOn(setup: ServerSetup, options: NeighbourOptions, server: string | null) {
  const name = server === null ? 'SQLite' : 'PostgreSQL';
  print(`\n${name}, ${options.size.toLocaleString('en')} media`);
  const database = await createDatabase(setup.scratch, { ...options, server });
  // The limit is for two cores.
  const pinning = { ...setup.pinning, serverPrefix: [] };
  const settings = { TRIVIUM_DATABASE_URL: database.url, TRIVIUM_RATE_REQUESTS: '0' };
  const running = await startTrivium({ ...setup, pinning }, `neighbours-${name}`, settings);
  try {
    const authorization = await bearerToken('admin');
    const { url } = running;
    const { places } = database;
    const requests = await neighbourRequests(url, authorization, places);
    const neighbours = await startNeighbours(url, requests);
    const filePath = requests.at(-1)?.path ?? '';
    const target = {
      send: (request: WorstRequest) => sendAlone(url, authorization, request),
      neighbours,
      places,
      victim: { url, authorization, places, filePath },
    };
    const rows: string[][] = [];
    const add = (row: string[]) => {
      rows.push(row);
      // A run takes minutes, and may be stopped.
      print(`  ${row.join('  ')}`);
    };
    add(await quietRow(target));
    for (const dialect of Object.keys(GENERATORS)) {
      if (dialect.includes(options.only)) add(await worstRow(target, dialect, options.tries));
    }
    for (const [name, attack] of Object.entries(ATTACKS)) {
      if (name.includes(options.only)) add(await attackRow(target, name, attack));
    }
    if ('deletion'.includes(options.only)) {
      for (const row of await deletionRows(target, url, authorization, database.url)) add(row);
    }
    add(await quietRow(target));
    await neighbours.stop();
    printTable(`${name}: waits of others, ms (limit of p99: ${WAIT_MS_MAX})`, HEAD, rows);
  } finally {
    await running.stop();
    await database.drop();
  }
}

const HEAD = ['while', 'status', 'its ms', 'KiB', 'p50', 'p99', 'max', 'requests'];

async function neighbourRequests(
  url: string,
  authorization: string,
  { mediaId }: Places,
): Promise<ClientRequest[]> {
  const connection = await Connection.open(url);
  const stored = await sendWhole(authorization)(connection, binaryPayload(DOWNLOAD_BYTES));
  connection.close();
  const body = [
    Buffer.from(
      JSON.stringify({ query: `{ node(id: "${mediaId}") { id ... on Media { name } } }` }),
    ),
  ];
  const headers = { authorization, 'content-type': 'application/json' };
  return [
    { method: 'GET', path: '/healthz' },
    { method: 'POST', path: '/graphql', headers, body },
    { method: 'GET', path: stored!, headers: { authorization }, discardBody: true },
  ];
}

async function sendAlone(
  url: string,
  authorization: string,
  { path, query, isAnonymous = false }: WorstRequest,
) {
  const connection = await Connection.open(url);
  const headers = {
    ...(!isAnonymous && { authorization }),
    ...(query !== undefined && { 'content-type': 'application/json' }),
  };
  // Another document each time, so that the server does not know it.
  const body =
    query === undefined
      ? []
      : [Buffer.from(JSON.stringify({ query: `# ${Math.random()}\n${query}` }))];
  try {
    const startedAt = performance.now();
    const method = query === undefined ? 'GET' : 'POST';
    const answer = await connection.request({ method, path, headers, body });
    // Validation answers 200 to a client that accepts only JSON.
    const status = answer.body.startsWith('{"errors"') ? 400 : answer.status;
    return { status, bytes: answer.body.length, ms: performance.now() - startedAt };
  } finally {
    connection.close();
  }
}

async function quietRow({ neighbours }: Target): Promise<string[]> {
  const { waits } = await neighbours.during(() => sleep(QUIET_MS));
  return ['nothing', '', '', '', ...cells(waits)];
}

async function attackRow(target: Target, name: string, attack: Attack): Promise<string[]> {
  const waits: number[] = [];
  let result = '';
  let ms = 0;
  const run = attack(target.victim);
  for (let repeat = 0; repeat < ATTACK_REPEATS; repeat++) {
    const startedAt = performance.now();
    const measured = await target.neighbours.during(run);
    ms = performance.now() - startedAt;
    result = measured.result;
    waits.push(...measured.waits);
  }
  return [name, result, ms.toFixed(0), '', ...cells(waits)];
}

interface Tried {
  genes: Genes;
  request: WorstRequest;
  worst: number;
}

async function worstRow(target: Target, dialect: string, tries: number): Promise<string[]> {
  let worst: Tried | null = null;
  for (let index = 0; index < tries; index++) {
    const isRandom = worst === null || index < tries * RANDOM_SHARE;
    const tried = await attempt(target, dialect, isRandom ? randomGenes() : mutate(worst!.genes));
    if (tried !== null && tried.worst > (worst?.worst ?? -1)) worst = tried;
  }
  if (worst === null) return [dialect, 'none allowed'];
  const waits: number[] = [];
  let last = { status: 0, bytes: 0, ms: 0 };
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    const measured = await target.neighbours.during(() => target.send(worst.request));
    waits.push(...measured.waits);
    last = measured.result;
  }
  const { path, query } = worst.request;
  print(`\nWorst of ${dialect}: ${path}\n${query ?? ''}`);
  const { status, ms, bytes } = last;
  return [dialect, String(status), ms.toFixed(0), (bytes / 1024).toFixed(0), ...cells(waits)];
}

/** Sends the request of the genes, scaled down until it is allowed. */
async function attempt(target: Target, dialect: string, genes: Genes): Promise<Tried | null> {
  for (const share of [1, 0.5, 0.25, 0.1, 0.03]) {
    const request = GENERATORS[dialect]!(genes, target.places, share);
    const { waits, result } = await target.neighbours.during(() => target.send(request));
    if (result.status >= 500) print(`  ${result.status}: ${JSON.stringify(request).slice(0, 600)}`);
    if (result.status === 200) return { genes, request, worst: Math.max(0, ...waits) };
  }
  return null;
}

async function deletionRows(
  { neighbours, places }: Target,
  url: string,
  authorization: string,
  databaseUrl: string,
): Promise<string[][]> {
  const db = openDb({ url: databaseUrl });
  const open = () =>
    db
      .selectFrom('job')
      .where('finished_at', 'is', null)
      .where('job_class', 'in', ['delete-subtree', 'delete-tag'])
      .select('id')
      .execute();
  const rows: string[][] = [];
  const paths = { folder: `/media/${places.folderUuid}`, tag: `/api/v2/tag/${BIG_TAG_ID}/` };
  try {
    for (const [name, path] of Object.entries(paths)) {
      const startedAt = performance.now();
      const { waits, result } = await neighbours.during(async () => {
        const { status } = await fetch(url + path, {
          method: 'DELETE',
          headers: { authorization },
        });
        while ((await open()).length > 0) await sleep(200);
        return status;
      });
      const ms = performance.now() - startedAt;
      rows.push([`deleting the ${name}`, String(result), ms.toFixed(0), '', ...cells(waits)]);
    }
    return rows;
  } finally {
    await db.destroy();
  }
}

function cells(waits: readonly number[]): string[] {
  const { p50, p99, max, count } = quantiles(waits);
  return [...[p50, p99, max].map((ms) => ms.toFixed(1)), String(count)];
}
