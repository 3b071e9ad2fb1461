import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { describeEachBackend } from '../support/backend.ts';
import { openSocket } from '../support/raw-request.ts';
import { complete, md5Of, sendChunk } from '../support/selfcommunity.ts';
import {
  WORKERS_ADMIN_KEY,
  type WorkerServer,
  withWorkers,
  workerAt,
} from '../support/worker-server.ts';

const LONG = { timeout: 120_000 };
const token = WORKERS_ADMIN_KEY;
const BYTES = Buffer.from('one of many lines of a text\n'.repeat(10_000));
const totalBytes = BYTES.length;
const THIRD = 100_000;

describeEachBackend('chunks of one upload on three workers', (backend) => {
  test('may be racing duplicates: one wins, the others are told the offset', LONG, () =>
    withWorkers(backend, async (server) => {
      const uploadId = await begin(server);
      const answers = await Promise.all([1, 2, 3, 4, 5].map(() => sendRest(server, uploadId)));
      const won = answers.filter(({ status }) => status === 201);
      expect(won).toHaveLength(1);
      for (const answer of answers) expect([201, 400]).toContain(answer.status);
      for (const { status, body } of answers)
        if (status === 400) expect(JSON.stringify(body)).toContain(String(totalBytes));
      await expectComplete(server, uploadId);
    }),
  );

  test('go on after the lease of a worker that was killed in a chunk', LONG, () =>
    withWorkers(backend, async (server) => {
      const uploadId = await begin(server);
      const slow = await beginSlowChunk(server, uploadId);
      process.kill(slow.worker, 'SIGKILL');
      expect((await sendRestSomewhere(server, uploadId)).status).toBe(201);
      slow.socket.destroy();
      await expectComplete(server, uploadId);
    }),
  );

  test('are not changed by a worker that slept longer than its lease', LONG, () =>
    withWorkers(backend, async (server) => {
      const uploadId = await begin(server);
      const slow = await beginSlowChunk(server, uploadId);
      process.kill(slow.worker, 'SIGSTOP');
      try {
        expect((await sendRestSomewhere(server, uploadId)).status).toBe(201);
      } finally {
        process.kill(slow.worker, 'SIGCONT');
      }
      slow.socket.write(slow.rest);
      expect(await slow.answer).not.toMatch(/^HTTP\/1.1 2/);
      await expectComplete(server, uploadId);
    }),
  );
});

/** Sends the first third. */
async function begin(server: WorkerServer): Promise<string> {
  const answer = await sendChunk(server, BYTES.subarray(0, THIRD), { totalBytes, token });
  expect(answer.status).toBe(201);
  return answer.body.upload_id;
}

function sendRest(server: WorkerServer, uploadId: string) {
  const startBytes = THIRD;
  return sendChunk(server, BYTES.subarray(THIRD), { uploadId, startBytes, totalBytes, token });
}

/** Sends the rest to several workers, because one of them may hang. Returns the answer of the one that takes it. */
function sendRestSomewhere(server: WorkerServer, uploadId: string) {
  const attempts = [1, 2, 3].map(async () => {
    const answer = await sendRest(server, uploadId);
    if (answer.status !== 201) throw new Error(JSON.stringify(answer.body));
    return answer;
  });
  return Promise.any(attempts);
}

async function expectComplete(server: WorkerServer, uploadId: string): Promise<void> {
  const fields = { upload_id: uploadId, md5: md5Of(BYTES) };
  const { status, body } = await complete(server, fields, { token });
  expect([status, body]).toMatchObject([201, {}]);
  const response = await fetch(server.url + new URL(body.url).pathname, {
    headers: { authorization: `Bearer ${token}` },
  });
  expect(md5Of(await response.bytes())).toBe(md5Of(BYTES));
}

/** Sends other bytes in place of the rest, all but the last five, so that a worker holds the lease of the upload. */
async function beginSlowChunk(server: WorkerServer, uploadId: string) {
  const wrong = 'X'.repeat(totalBytes - THIRD);
  const head = [
    '--b\r\nContent-Disposition: form-data; name="upload_id"\r\n\r\n',
    uploadId,
    '\r\n--b\r\nContent-Disposition: form-data; name="image"; filename="note.txt"\r\n',
    'Content-Type: application/octet-stream\r\n\r\n',
  ].join('');
  const body = `${head}${wrong}\r\n--b--\r\n`;
  const socket = await openSocket(server);
  let text = '';
  const answer = new Promise<string>((resolve) => {
    socket.on('data', (bytes) => {
      text += bytes;
    });
    socket.on('close', () => resolve(text));
  });
  socket.write(
    [
      'POST /api/v2/media/upload/chunk/ HTTP/1.1',
      'Host: 127.0.0.1',
      `Authorization: Bearer ${token}`,
      'Content-Type: multipart/form-data; boundary=b',
      `Content-Range: bytes ${THIRD}-${totalBytes - 1}/${totalBytes}`,
      `Content-Length: ${body.length}`,
      'Connection: close\r\n\r\n',
    ].join('\r\n'),
  );
  const cut = head.length + wrong.length - 5;
  socket.write(body.slice(0, cut));
  await sleep(1000);
  return {
    socket,
    answer,
    rest: body.slice(cut),
    worker: workerAt(server, Number(socket.localPort)),
  };
}
