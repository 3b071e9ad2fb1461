import { setTimeout as sleep } from 'node:timers/promises';
import { median } from './compare.ts';
import { cpuMsOf, descendantsOf, rssBytes } from './process-status.ts';
import { fetchBody } from './reads.ts';
import { formatMib, printTable } from './report.ts';
import { bearerToken, type ServerSetup, startTrivium } from './server.ts';

export interface StartOptions {
  rounds: number;
  /** Another checkout, installed, that is measured too; null: none. */
  before: URL | null;
}

const QUERY = '{ medias(first: 10) { nodes { name file { url } } } }';

/** Time after which a server that has answered one query counts as idle: it frees memory after a few seconds of rest. */
const SETTLE_MS = 8000;

interface Start {
  listenMs: number;
  cpuMs: number;
  mainBytes: number;
  otherBytes: number;
}

/**
 * Processor time from the start of a server, of its process and its children, to the first answered query, and the
 * memory of the idle server. The first start, which writes the compile cache, is not counted.
 */
export async function benchStart(setup: ServerSetup, options: StartOptions): Promise<void> {
  const targets = [
    { title: 'Trivium', checkout: undefined as URL | undefined, starts: [] as Start[] },
  ];
  if (options.before)
    targets.push({ title: 'Trivium before', checkout: options.before, starts: [] });
  for (let round = 0; round <= options.rounds; round += 1) {
    for (const { title, checkout, starts } of targets) {
      const start = await measure(setup, title.replaceAll(' ', '-'), checkout);
      if (round > 0) starts.push(start);
    }
  }
  const rows = targets.map(({ title, starts }) => {
    const middle = (pick: (start: Start) => number) => median(starts.map(pick));
    const bytes = [middle((start) => start.mainBytes), middle((start) => start.otherBytes)];
    const ms = [middle((start) => start.listenMs), middle((start) => start.cpuMs)];
    return [title, ...ms.map((value) => value.toFixed(0)), ...bytes.map(formatMib)];
  });
  const head = ['', 'listens ms', 'CPU ms', 'idle RSS MiB', 'its children MiB'];
  printTable('S  From the start to the first answered query', head, rows);
}

async function measure(
  setup: ServerSetup,
  name: string,
  checkout: URL | undefined,
): Promise<Start> {
  const headers = {
    'content-type': 'application/json',
    authorization: await bearerToken('admin'),
  };
  const startedAt = performance.now();
  const server = await startTrivium(setup, name, {}, checkout);
  const listenMs = performance.now() - startedAt;
  const body = [Buffer.from(JSON.stringify({ query: QUERY }))];
  await fetchBody(server.url, { method: 'POST', path: '/graphql', headers, body });
  const cpuMs = sum([server.pid, ...descendantsOf(server.pid)].map(cpuMsOf));
  await sleep(SETTLE_MS);
  const mainBytes = rssBytes(server.pid);
  const otherBytes = sum(descendantsOf(server.pid).map(rssBytes));
  await server.stop();
  return { listenMs, cpuMs, mainBytes, otherBytes };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
