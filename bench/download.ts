import { type Contender, compare, type Round } from './compare.ts';
import { binaryPayload, MIB, type Payload } from './payload.ts';
import { printStandings } from './report.ts';
import type { RunningServer } from './scratch.ts';
import { sendWhole } from './sender/graphql.ts';
import { sendToLimit } from './sender/limit.ts';
import type { Send } from './sender/sender.ts';
import { withConnections } from './transfer.ts';

export interface DownloadTarget {
  trivium: RunningServer;
  limit: RunningServer;
  before: RunningServer | null;
  authorization: string;
}

interface DownloadCase {
  title: string;
  unit: 'MB/s' | 'files/s';
  sizeBytes: number;
  downloadsPerRound: number;
}

const CASES: readonly DownloadCase[] = [
  { title: 'D1  download of 64 MiB', unit: 'MB/s', sizeBytes: 64 * MIB, downloadsPerRound: 8 },
  {
    title: 'D2  download of 20 KiB',
    unit: 'files/s',
    sizeBytes: 20 * 1024,
    downloadsPerRound: 2000,
  },
];

/** Stored files against a bare pipe; both come out of the kernel's cache. */
export async function benchDownloads(
  target: DownloadTarget,
  { rounds, only }: { rounds: number; only: string },
): Promise<void> {
  for (const downloadCase of CASES) {
    if (downloadCase.title.includes(only)) await benchDownload(target, downloadCase, rounds);
  }
}

async function benchDownload(
  target: DownloadTarget,
  { title, unit, sizeBytes, downloadsPerRound }: DownloadCase,
  rounds: number,
): Promise<void> {
  const payload = binaryPayload(sizeBytes);
  const amount = unit === 'MB/s' ? (downloadsPerRound * sizeBytes) / 1e6 : downloadsPerRound;
  const contender = async (name: string, server: RunningServer, send: Send) => {
    const { url, pid } = server;
    const path = await storeForDownload(url, send, payload);
    return {
      name,
      isLimit: server !== target.trivium,
      pid,
      run: () => download(url, path, downloadsPerRound, amount),
    };
  };
  const contenders: Contender[] = [
    await contender('limit: bare pipe', target.limit, sendToLimit('bytes')),
    await contender('Trivium', target.trivium, sendWhole(target.authorization)),
  ];
  if (target.before) {
    const send = sendWhole(target.authorization);
    contenders.push(await contender('Trivium before', target.before, send));
  }
  printStandings(title, unit, await compare(contenders, rounds));
}

/** Stores a file. Returns its path. */
export async function storeForDownload(url: string, send: Send, payload: Payload): Promise<string> {
  let path: string | null = null;
  await withConnections(url, 1, 0, async ([connection]) => {
    path = await send(connection!, payload);
  });
  return path ?? '';
}

/** Downloads a file so many times, one after the other; `amount` is that of all together. */
export function download(url: string, path: string, count: number, amount: number): Promise<Round> {
  return withConnections(url, 1, amount, async ([connection]) => {
    for (let index = 0; index < count; index++) {
      const answer = await connection!.request({ method: 'GET', path, discardBody: true });
      if (answer.status !== 200) throw new Error(`GET ${path}: ${answer.status}`);
    }
  });
}
