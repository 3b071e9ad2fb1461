import { readdir } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import {
  runTrivium,
  type ServerProcess,
  withDataDir,
  withServerProcess,
  withWaitingProcess,
} from '../support/process.ts';
import { openSocket } from '../support/raw-request.ts';
import { complete, md5Of, sendChunk, upload } from '../support/selfcommunity.ts';

const BYTES = Buffer.from(`%PDF-1.7\n${'0123456789'.repeat(1000)}`.slice(0, 10_000));
const HALF = BYTES.length / 2;

// Each waits for time limits most of the time.
it.concurrent('a second process on one SQLite file waits for the first, or ends with a message; uploads go on in it', () =>
  withDataDir(async (TRIVIUM_DATA_DIR) => {
    await withServerProcess({ TRIVIUM_DATA_DIR }, async (first) => {
      const begun = await sendHalf(first);
      await withWaitingProcess({ TRIVIUM_DATA_DIR }, async (second) => {
        expect(await readdir(join(TRIVIUM_DATA_DIR, 'blobs', 'staging'))).toHaveLength(1);
        // Commands do not serve, so they do not wait.
        expect(await runTrivium(['key', 'create', 'x'], { TRIVIUM_DATA_DIR })).toMatchObject({
          code: 0,
        });
        const variables = { TRIVIUM_DATA_DIR, TRIVIUM_LOCK_WAIT_SECONDS: '0', TRIVIUM_PORT: '0' };
        const ended = await runTrivium(['serve'], variables);
        expect(ended.code).toBe(1);
        expect(ended.output).toContain('another process serves this database');
        expect(ended.errors).toMatch(/^trivium: Another process serves .*trivium\.db.*\n$/);
        expect(second.log.map(({ msg }) => msg)).not.toContain('the other process has ended');
        first.child.kill('SIGTERM');
        expect(await first.exit).toBe(0);
        await second.logged('the other process has ended');
        await second.logged('listening');
        await finish(second, begun);
      });
    });
  }));

it.concurrent('SIGTERM ends a server that has a dripping client; its upload goes on at the acknowledged offset', () =>
  withDataDir(async (TRIVIUM_DATA_DIR) => {
    const variables = { TRIVIUM_DATA_DIR };
    const begun = await withServerProcess(variables, async (server) => {
      const begun = await sendHalf(server);
      const socket = await openSocket(server);
      socket.write(dripHead(begun));
      await expectEnd(server, socket, () => socket.write('x'));
      return begun;
    });
    await withServerProcess(variables, (server) => finish(server, begun));
  }));

it.concurrent('SIGTERM ends a server that has a client which reads a download slowly', () =>
  withDataDir((TRIVIUM_DATA_DIR) =>
    withServerProcess({ TRIVIUM_DATA_DIR }, async (server) => {
      // More than the sockets hold.
      const bytes = Buffer.concat(Array(2000).fill(BYTES));
      const { body } = await upload(server, bytes, { contentType: 'application/pdf', type: 'doc' });
      const socket = await openSocket(server);
      socket.pause();
      socket.write(`GET ${new URL(body.url).pathname} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
      await vi.waitFor(() => expect(socket.read(100)).not.toBeNull());
      await expectEnd(server, socket, () => socket.read(100));
    }),
  ));

/** Stops a server while a client sends or reads a little at a time, and expects its end. */
async function expectEnd(
  server: ServerProcess,
  socket: Socket,
  drip: () => unknown,
): Promise<void> {
  const timer = setInterval(drip, 100);
  server.child.kill('SIGTERM');
  const ended = await server.exit;
  clearInterval(timer);
  socket.destroy();
  expect(ended).toBe(0);
  expect(server.log.at(-1)).toMatchObject({ msg: 'stopped' });
}

async function sendHalf(server: ServerProcess): Promise<string> {
  const chunk = BYTES.subarray(0, HALF);
  const options = { startBytes: 0, totalBytes: BYTES.length };
  const { status, body } = await sendChunk(server, chunk, options);
  expect(status).toBe(201);
  return body.upload_id;
}

async function finish(server: ServerProcess, uploadId: string): Promise<void> {
  const options = { uploadId, startBytes: HALF, totalBytes: BYTES.length };
  expect(await sendChunk(server, BYTES.subarray(HALF), options)).toMatchObject({ status: 201 });
  const done = await complete(server, { upload_id: uploadId, md5: md5Of(BYTES), type: 'doc' });
  expect(done).toMatchObject({ status: 201, body: { size: BYTES.length } });
}

/** The beginning of a request with the second half, whose body does not come. */
function dripHead(uploadId: string): string {
  const parts = [
    `--b\r\nContent-Disposition: form-data; name="upload_id"\r\n\r\n${uploadId}\r\n`,
    '--b\r\nContent-Disposition: form-data; name="image"; filename="a.bin"\r\n\r\nx',
  ].join('');
  const head = [
    'POST /api/v2/media/upload/chunk/ HTTP/1.1',
    'Host: localhost',
    'Content-Type: multipart/form-data; boundary=b',
    `Content-Range: bytes ${HALF}-${BYTES.length - 1}/${BYTES.length}`,
    'Content-Length: 1000000',
  ];
  return `${head.join('\r\n')}\r\n\r\n${parts}`;
}
