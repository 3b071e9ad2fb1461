import { once } from 'node:events';
import { chownSync, globSync, mkdirSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it, vi } from 'vitest';
import { buildImage, enter, execute, firstProcess, type Image } from '../support/container.ts';
import { fixture } from '../support/temporary-file.ts';

const BASE = process.env.TEST_IMAGE_BASE ?? '';
const reason = BASE === '' ? ' (skipped: TEST_IMAGE_BASE names no base image)' : '';
const KEY = 'c2e1f0b7a4d93856c2e1f0b7a4d938567';
const environment = {
  TRIVIUM_PORT: '4998',
  TRIVIUM_PUBLIC_URL: 'http://127.0.0.1:4998',
  TRIVIUM_ADMIN_KEY: KEY,
};

async function withDirectory(work: (scratch: string) => Promise<void>): Promise<void> {
  const scratch = await mkdtemp(join(tmpdir(), 'trivium-image-'));
  await work(scratch).finally(() => rm(scratch, { recursive: true }));
}

/** Starts the container, waits for its health check, runs `work`, and stops it. Returns its log. */
async function serve(
  image: Image,
  data: string,
  work: (pid: number) => Promise<void>,
): Promise<string[]> {
  const command = [...image.entrypoint, ...image.command];
  const server = enter(image, BASE, { command, environment, data });
  server.stderr!.pipe(process.stderr);
  const log: string[] = [];
  createInterface({ input: server.stdout! }).on('line', (line) => log.push(line));
  const exit = once(server, 'exit');
  try {
    const health = { command: image.health, environment };
    const isHealthy = () => execute(image, firstProcess(server), health);
    await vi.waitFor(isHealthy, { timeout: 60_000, interval: 200 });
    await work(firstProcess(server));
    process.kill(firstProcess(server), 'SIGTERM');
    expect((await exit)[0]).toBe(0);
    return log;
  } finally {
    server.kill('SIGKILL');
  }
}

async function upload(): Promise<string> {
  const query = `mutation ($file: Upload!) { uploadFile(input: { file: $file }) {
    ... on UploadFileSuccess { media { url } } ... on Error { message } } }`;
  const form = new FormData();
  form.append('operations', JSON.stringify({ query, variables: { file: null } }));
  form.append('map', JSON.stringify({ 0: ['variables.file'] }));
  form.append('0', new Blob([await readFile(fixture('picture.png'))]), 'picture.png');
  const headers = { 'api-key': KEY, 'x-graphql-yoga-csrf': '1' };
  const url = 'http://127.0.0.1:4998/graphql';
  const response = await fetch(url, { method: 'POST', headers, body: form });
  const { data } = (await response.json()) as { data: { uploadFile: { media: { url: string } } } };
  return data.uploadFile.media.url;
}

describe(`the image${reason}`, () => {
  const test = it.skipIf(BASE === '');

  test(
    'builds, and serves without rights, from files that it cannot change',
    () =>
      withDirectory(async (scratch) => {
        const image = await buildImage(BASE, scratch);
        const cache = join(scratch, 'final/upper/app/node_modules/.cache');
        expect(globSync(`${cache}/*/*-1000/*`).length).toBeGreaterThan(500);
        const data = join(scratch, 'data');
        mkdirSync(data);
        chownSync(data, 1000, 1000);
        const log = await serve(image, data, async (pid) => {
          const response = await fetch(`${await upload()}?width=40&format=webp`);
          expect(response.headers.get('content-type')).toBe('image/webp');
          const write = 'touch /data/x && ! touch /app/x && ! touch /home/node/x';
          await execute(image, pid, { command: ['sh', '-c', write] });
        });
        const entries = log.map((line) => JSON.parse(line) as { level: number });
        expect(entries.filter(({ level }) => level >= 40)).toEqual([]);
      }),
    600_000,
  );
});
