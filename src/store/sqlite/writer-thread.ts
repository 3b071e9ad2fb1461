// The thread that writes. It ends when it receives `null`.
import { parentPort, workerData } from 'node:worker_threads';
import { openConnection } from './connection.ts';
import { answer, type Request } from './serve.ts';
import { Performer } from './work.ts';

/** A short wait. Longer waits happen outside of this thread, where the caller can give up. */
const BUSY_TIMEOUT_MS = 20;

const connection = openConnection(workerData, {
  access: 'write',
  busyTimeoutMs: BUSY_TIMEOUT_MS,
});
const performer = new Performer(connection);
parentPort?.on('message', (request: Request | null) => {
  if (request !== null) {
    parentPort?.postMessage(answer(performer, request));
    return;
  }
  connection.close();
  parentPort?.close();
});
