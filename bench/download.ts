import { type Contender, compare, type Round } from './compare.ts';
import { binaryPayload, MIB, type Payload } from './payload.ts';
import { printStandings } from './report.ts';
import type { RunningServer } from './scratch.ts';
import { sendWhole } from './sender/graphql.ts';
import { sendToLimit } from './sender/limit.ts';
import type { Send } from './sender/sender.ts';
import { withConnections } from './transfer.ts';

export const DOWNLOAD_TITLE = 'D1  download of 64 MiB';
const DOWNLOADS_PER_ROUND = 8;

export interface DownloadTarget {
  trivium: RunningServer;
  limit: RunningServer;
  authorization: string;
}

/** A stored file against a bare pipe; both come out of the kernel's cache. */
export async function benchDownload(target: DownloadTarget, rounds: number): Promise<void> {
  const payload = binaryPayload(64 * MIB);
  const contender = async (name: string, server: RunningServer, send: Send) => {
    const { url, pid } = server;
    const path = await store(url, send, payload);
    return {
      name,
      isLimit: server === target.limit,
      pid,
      run: () => download(url, path, payload.bytes.length),
    };
  };
  const contenders: Contender[] = [
    await contender('limit: bare pipe', target.limit, sendToLimit('bytes')),
    await contender('Trivium', target.trivium, sendWhole(target.authorization)),
  ];
  printStandings(DOWNLOAD_TITLE, 'MB/s', await compare(contenders, rounds));
}

/** Answers the path of the stored file. */
async function store(url: string, send: Send, payload: Payload): Promise<string> {
  let path: string | null = null;
  await withConnections(url, 1, 0, async ([connection]) => {
    path = await send(connection!, payload);
  });
  return path ?? '';
}

function download(url: string, path: string, sizeBytes: number): Promise<Round> {
  const amount = (DOWNLOADS_PER_ROUND * sizeBytes) / 1e6;
  return withConnections(url, 1, amount, async ([connection]) => {
    for (let count = 0; count < DOWNLOADS_PER_ROUND; count++) {
      const answer = await connection!.request({ method: 'GET', path, discardBody: true });
      if (answer.status !== 200) throw new Error(`GET ${path}: ${answer.status}`);
    }
  });
}
