import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { vi } from 'vitest';
import { createS3Client, type S3Client } from '../../src/blob/s3/client.ts';
import { fixedCredentials } from '../../src/blob/s3/credential.ts';

/** A running moto server: S3 as others have written it. */
export interface Moto {
  url: string;
  stop(): Promise<void>;
}

/** Starts moto, a Python package. Returns null if it is not installed. */
export async function startMoto(): Promise<Moto | null> {
  const port = await freePort();
  const args = ['-m', 'moto.server', '-p', String(port)];
  const child = spawn('python3', args, { stdio: 'ignore' });
  const exit = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  const url = `http://127.0.0.1:${port}`;
  let isOver = false;
  void exit.then(() => {
    isOver = true;
  });
  const isUp = () =>
    fetch(url).then(
      () => true,
      () => isOver,
    );
  await vi.waitUntil(isUp, { timeout: 30_000, interval: 100 });
  if (isOver) return null;
  return {
    url,
    async stop() {
      child.kill('SIGKILL');
      await exit;
    },
  };
}

/** Runs `work` with a client of a new bucket in moto. */
export async function withMotoClient<T>(
  { url }: Moto,
  work: (client: S3Client) => Promise<T>,
): Promise<T> {
  const bucket = `trivium-${Math.random().toString(36).slice(2)}`;
  await fetch(`${url}/${bucket}`, { method: 'PUT' });
  const location = {
    bucket,
    prefix: 'library/',
    endpoint: url,
    region: 'us-east-1',
    isPathStyle: true,
  };
  const credentials = fixedCredentials({ accessKeyId: 'test', secretAccessKey: 'test' });
  const client = createS3Client({ location, credentials });
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
