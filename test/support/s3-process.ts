import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { spawnNode } from './process.ts';
import type { S3State } from './s3-server.ts';

/** A test server of S3 that runs as a process of its own, so that its work is not that of the test. */
export interface S3Process {
  url: string;
  /** Asks it what it holds and has done. */
  state(): Promise<S3State>;
}

/** Runs `work` with a server, then stops it. */
export async function withS3Process<T>(work: (server: S3Process) => Promise<T>): Promise<T> {
  const child = spawnNode(['test/support/s3-server.ts'], {});
  try {
    const url = await urlOf(child);
    const state = async () => (await fetch(`${url}/-/state`)).json() as Promise<S3State>;
    return await work({ url, state });
  } finally {
    if (child.exitCode === null && child.kill('SIGTERM')) await once(child, 'exit');
  }
}

async function urlOf(child: ReturnType<typeof spawnNode>): Promise<string> {
  child.stderr?.resume();
  for await (const line of createInterface({ input: child.stdout! })) {
    const url = /^S3 at (\S+),/.exec(line)?.[1];
    if (url !== undefined) return url;
  }
  throw new Error('The server of S3 did not start');
}
