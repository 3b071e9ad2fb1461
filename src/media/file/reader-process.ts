// A process that reads what files say of themselves. It asks its parent for their bytes, and ends with it.
import { once } from 'node:events';
import { ignoreSignals, lowerPriority } from '../rendition/low-priority.ts';
import type { DetailsKind, FileDetails } from './details.ts';
import { withPages } from './paged-source.ts';
import { readFileDetails } from './read-details.ts';

/** Asks the process for the details of a file. */
export interface DetailsRequest {
  kind: DetailsKind;
  sizeBytes: number;
}

/** A message of the process: it needs bytes, which the next message to it brings; or it has found the details. */
export type ProcessMessage = { position: number; lengthBytes: number } | { details: FileDetails };

/** The bytes that the process has asked for; null: it may read no more of this file. */
export type BytesMessage = { bytes: Uint8Array<ArrayBuffer> | null };

/** Reads one after the other, so that each answer belongs to the last request. */
let lastRead: Promise<unknown> = Promise.resolve();

function read(position: number, lengthBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = lastRead.then(() => requestBytes(position, lengthBytes));
  lastRead = bytes.catch(() => undefined);
  return bytes;
}

async function requestBytes(position: number, lengthBytes: number) {
  const answered = once(process, 'message');
  send({ position, lengthBytes });
  const [{ bytes }] = (await answered) as [BytesMessage];
  if (bytes === null) throw new Error('The limit of bytes is reached.');
  // Node may return a part of a larger buffer, whose rest a parser must not see.
  return new Uint8Array(bytes);
}

function send(message: ProcessMessage): void {
  // Nobody waits for it if the parent has died meanwhile.
  if (process.connected) process.send?.(message, () => undefined);
}

async function work({ kind, sizeBytes }: DetailsRequest): Promise<void> {
  const details = await readFileDetails(withPages({ sizeBytes, read }), kind);
  // A parser may have left reads behind.
  await lastRead;
  process.once('message', work);
  send({ details });
}

// A parser that fails where nobody waits for it spoils nothing but its own result.
process.on('unhandledRejection', () => undefined);
lowerPriority();
ignoreSignals();
process.once('message', work);
