import { setTimeout as sleep } from 'node:timers/promises';
import { binaryPayload, MIB, type Payload, pdfPayload, splitPayload } from './payload.ts';
import { peakRssBytes, rssBytes } from './process-status.ts';
import { formatMib, printTable } from './report.ts';
import { sendChunks, sendWhole } from './sender/graphql.ts';
import { sendAsSelfCommunity } from './sender/selfcommunity.ts';
import type { Send } from './sender/sender.ts';
import { bearerToken, type ServerSetup, startTrivium } from './server.ts';
import { transfer } from './transfer.ts';

/** DESIGN.md §5: a file of any size, and 32 uploads at once. */
const GROWTH_BYTES_MAX = 48 * MIB;

export interface MemoryOptions {
  /** Scenarios whose title contains this; empty: all. */
  only: string;
}

interface Scenario {
  title: string;
  payloads: readonly Payload[];
  concurrency: number;
  send: Send;
}

/** RSS growth of a fresh server, warmed up by small uploads of the same kind, for each scenario. */
export async function benchMemory(setup: ServerSetup, { only }: MemoryOptions): Promise<void> {
  const authorization = await bearerToken();
  const rows: string[][] = [];
  const chosen = scenarios(authorization).filter(({ title }) => title.includes(only));
  for (const [index, scenario] of chosen.entries()) {
    rows.push(await measure(setup, `memory-${index}`, scenario));
  }
  const head = ['', 'start', 'warm', 'peak', 'growth', 'bound', ''];
  printTable('M  RSS of the server in MiB', head, rows);
}

function scenarios(authorization: string): Scenario[] {
  const big = binaryPayload(640 * MIB);
  const pdf = pdfPayload(10 * MIB);
  return [
    {
      title: 'uploadFile of 300 MiB',
      payloads: splitPayload(big, 300 * MIB, 1),
      concurrency: 1,
      send: sendWhole(authorization),
    },
    {
      title: '32 uploads of 20 MiB at once in 5 MiB chunks',
      payloads: splitPayload(big, 20 * MIB, 32),
      concurrency: 32,
      send: sendChunks(authorization, 5 * MIB),
    },
    {
      title: '32 SelfCommunity uploads of 10 MiB at once',
      payloads: new Array<Payload>(32).fill(pdf),
      concurrency: 32,
      send: sendAsSelfCommunity(authorization),
    },
  ];
}

async function measure(setup: ServerSetup, name: string, scenario: Scenario): Promise<string[]> {
  const { title, payloads, concurrency, send } = scenario;
  const server = await startTrivium(setup, name);
  const startBytes = rssBytes(server.pid);
  await transfer(server.url, warmUp(scenario), { concurrency: 1, unit: 'MB/s', send });
  // Garbage of the warm-up is not growth.
  await sleep(500);
  const warmBytes = rssBytes(server.pid);
  const peakBytes = await peakRssBytes(server.pid, () =>
    transfer(server.url, payloads, { concurrency, unit: 'MB/s', send }),
  );
  await server.stop();
  await setup.scratch.remove(name);
  const growthBytes = peakBytes - warmBytes;
  const verdict = growthBytes <= GROWTH_BYTES_MAX ? 'PASS' : 'FAIL';
  const figures = [startBytes, warmBytes, peakBytes, growthBytes, GROWTH_BYTES_MAX];
  return [title, ...figures.map(formatMib), verdict];
}

/** Enough small files for the compiler, one at a time and far too few bytes to fill buffers to come. */
function warmUp({ payloads }: Scenario): Payload[] {
  const isPdf = payloads[0]!.mimeType === 'application/pdf';
  return isPdf
    ? new Array<Payload>(100).fill(pdfPayload(MIB / 4))
    : splitPayload(payloads[0]!, MIB / 8, 100);
}
