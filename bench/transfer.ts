import { spawnSync } from 'node:child_process';
import type { Round } from './compare.ts';
import { Connection } from './connection.ts';
import type { Payload } from './payload.ts';
import type { Send } from './sender/sender.ts';

/** Unit of a rate. */
export type Unit = 'MB/s' | 'files/s';

/** Sends the payloads over so many connections, each taking the next one when it is free. */
export async function transfer(
  url: string,
  payloads: readonly Payload[],
  { concurrency, unit, send }: { concurrency: number; unit: Unit; send: Send },
): Promise<Round> {
  const amount =
    unit === 'files/s'
      ? payloads.length
      : payloads.reduce((sum, { bytes }) => sum + bytes.length, 0) / 1e6;
  return withConnections(url, concurrency, amount, async (connections) => {
    const queue = payloads.values();
    const drain = async (connection: Connection) => {
      for (const payload of queue) await send(connection, payload);
    };
    await Promise.all(connections.map(drain));
  });
}

/** Times work that moves an amount over new connections: a server may have closed idle ones. */
export async function withConnections(
  url: string,
  count: number,
  amount: number,
  work: (connections: readonly Connection[]) => Promise<void>,
): Promise<Round> {
  const opening = Array.from({ length: count }, () => Connection.open(url));
  const connections = await Promise.all(opening);
  try {
    const startedAt = performance.now();
    await work(connections);
    const seconds = (performance.now() - startedAt) / 1000;
    const latenciesMs = connections.flatMap((connection) => connection.latenciesMs);
    return { amount, seconds, latenciesMs };
  } finally {
    for (const connection of connections) connection.close();
  }
}

/** Waits until the disk has written the bytes of earlier rounds, so that the next round need not. */
export function settleDisk(directory: string): void {
  spawnSync('sync', ['-f', directory]);
}
