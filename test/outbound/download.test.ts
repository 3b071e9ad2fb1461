import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { Outbound, OutboundResponse } from '../../src/outbound/client.ts';
import { startDownload } from '../../src/outbound/download.ts';

/** Downloads a body in which each piece follows the last after `pauseMs`. Returns the number of requests and of bytes. */
async function download(
  pieces: number,
  {
    pauseMs = 0,
    readMs = 0,
    windowMs = 60,
  }: { pauseMs?: number; readMs?: number; windowMs?: number },
) {
  let requests = 0;
  const get = async (): Promise<OutboundResponse> => {
    requests += 1;
    return {
      url: new URL('http://site.example/a'),
      status: 200,
      // With a validator, so that a broken download would resume.
      header: (name) => (name === 'etag' ? '"a"' : null),
      body: (async function* () {
        for (let piece = 0; piece < pieces; piece += 1) {
          await sleep(pauseMs);
          yield Buffer.alloc(100);
        }
      })(),
      cancel: () => undefined,
    };
  };
  const outbound: Outbound = { get, close: async () => undefined };
  const { bytes } = await startDownload(outbound, 'http://site.example/a', {
    signal: new AbortController().signal,
    leastRate: { bytes: 1000, windowMs },
    resumeDelayMs: 1,
  });
  let sizeBytes = 0;
  for await (const piece of bytes) {
    sizeBytes += piece.length;
    await sleep(readMs);
  }
  return { requests, sizeBytes };
}

it('a server that drips is cut, and not asked for the rest', async () => {
  await expect(download(1000, { pauseMs: 20 })).rejects.toMatchObject({
    name: 'OutboundError',
    message: 'The remote server sent the file too slowly.',
    isPermanent: false,
  });
});

it('a fast server is not cut because the reader is slow', async () => {
  // The reader takes twice the window; the server would have to be stopped for all of it.
  expect(await download(20, { readMs: 50, windowMs: 500 })).toEqual({
    requests: 1,
    sizeBytes: 2000,
  });
});
