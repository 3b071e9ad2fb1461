// The thread that writes. It ends when it receives `null`.
import { parentPort, workerData } from 'node:worker_threads';
import { openConnection } from './connection.ts';
import { answer, type Request } from './serve.ts';

/** A short wait: who waits longer does so outside of this thread, so that it can give up. */
const BUSY_TIMEOUT_MS = 20;

const connection = openConnection(workerData, {
  access: 'write',
  busyTimeoutMs: BUSY_TIMEOUT_MS,
});
parentPort?.on('message', (request: Request | null) => {
  if (request !== null) {
    parentPort?.postMessage(answer(connection, request));
    return;
  }
  connection.close();
  parentPort?.close();
});
