// The thread that reads what files say of themselves. It has no access to files: it asks for their bytes.
import { once } from 'node:events';
import { parentPort } from 'node:worker_threads';
import type { DetailsKind, FileDetails } from './details.ts';
import { withPages } from './paged-source.ts';
import { readFileDetails } from './read-details.ts';

/** Asks the thread for the details of a file. */
export interface DetailsRequest {
  kind: DetailsKind;
  sizeBytes: number;
}

/** A message of the thread: it needs bytes, which the next message to it brings; or it has found the details. */
export type ThreadMessage = { position: number; lengthBytes: number } | { details: FileDetails };

/** The bytes that the thread has asked for; null: it may read no more of this file. */
export type BytesMessage = Uint8Array<ArrayBuffer> | null;

const port = parentPort;
if (port === null) throw new Error('This file runs in a thread of its own.');

/** Reads one after the other, so that each answer belongs to the last request. */
let lastRead: Promise<unknown> = Promise.resolve();

function read(position: number, lengthBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = lastRead.then(() => requestBytes(position, lengthBytes));
  lastRead = bytes.catch(() => undefined);
  return bytes;
}

async function requestBytes(position: number, lengthBytes: number) {
  const answered = once(port as NonNullable<typeof port>, 'message');
  post({ position, lengthBytes });
  const [bytes] = (await answered) as [BytesMessage];
  if (bytes === null) throw new Error('The limit of bytes is reached.');
  return bytes;
}

function post(message: ThreadMessage): void {
  port?.postMessage(message);
}

async function work({ kind, sizeBytes }: DetailsRequest): Promise<void> {
  const details = await readFileDetails(withPages({ sizeBytes, read }), kind);
  // A parser may have left reads behind.
  await lastRead;
  listen();
  post({ details });
}

function listen(): void {
  port?.once('message', work);
}

// A parser that fails where nobody waits for it spoils nothing but its own result.
process.on('unhandledRejection', () => undefined);
listen();
