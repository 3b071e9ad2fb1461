import { createHash, type Hash } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { type FileHandle, link, open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type RetryNotice, retry } from '../../client/retry.ts';
import { UploadError } from '../../client/upload/upload-error.ts';
import { RETRY } from '../connection.ts';
import { CommandError, describeSystemError } from '../failure.ts';
import type { Source } from './source.ts';

/** Options of one download. */
export interface TransferOptions {
  /** Whether to replace a file that exists and has another content. */
  force: boolean;
  signal: AbortSignal;
  onProgress: (bytes: number) => void;
  onRetry: (notice: RetryNotice) => void;
}

/** What became of a file: it was written, or it was there already with this content. */
export type TransferStatus = 'stored' | 'exists';

/**
 * Writes a file, which appears under its name once it is complete and its MD5 is right. The bytes of a broken download
 * stay beside it, and the next one continues after them. Throws CommandError, and UploadError if the server cannot be
 * reached.
 */
export async function transfer(
  source: Source,
  path: string,
  options: TransferOptions,
): Promise<TransferStatus> {
  try {
    if (await isThere(source, path, options)) return 'exists';
    const part = partPath(source, path);
    await fill(part, source, options);
    await publish(part, path, options);
    return 'stored';
  } catch (error) {
    if (error instanceof Error && 'syscall' in error)
      throw new CommandError(`${path}: ${describeSystemError(error)}`, { cause: error });
    throw error;
  }
}

async function isThere({ sizeBytes, md5 }: Source, path: string, { force }: TransferOptions) {
  const stats = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    return null;
  });
  if (stats === null) return false;
  if (!stats.isFile()) throw new CommandError(`${path}: exists, and is no regular file`);
  if (stats.size === sizeBytes && md5 !== null && (await md5Of(path)) === md5) return true;
  if (force) return false;
  throw new CommandError(`${path}: exists, and has another content; --force replaces it`);
}

async function md5Of(path: string): Promise<string> {
  const hash = createHash('md5');
  for await (const piece of createReadStream(path)) hash.update(piece);
  return hash.digest('hex');
}

/** The name has the version of the content, so that the bytes of another one are never continued. */
function partPath({ version }: Source, path: string): string {
  const key = createHash('sha256')
    .update(`${basename(path)}\n${version}`)
    .digest('hex');
  return join(dirname(path), `.trivium-${key.slice(0, 32)}.part`);
}

const { O_RDWR, O_CREAT, O_NOFOLLOW } = constants;

/** Downloads what is missing in the part, and checks the whole. A part that is wrong is deleted. */
async function fill(part: string, source: Source, options: TransferOptions): Promise<void> {
  const handle = await open(part, O_RDWR | O_CREAT | O_NOFOLLOW, 0o666);
  try {
    const hash = createHash('md5');
    const state = { bytes: 0 };
    const add = (piece: Uint8Array) => {
      hash.update(piece);
      state.bytes += piece.length;
    };
    const { size } = await handle.stat();
    if (size > source.sizeBytes) await handle.truncate(0);
    for await (const piece of handle.createReadStream({ start: 0, autoClose: false })) add(piece);
    await receiveAll(handle, source, state, { ...options, add });
    await handle.sync();
    await check(hash, source, part);
  } finally {
    await handle.close();
  }
}

interface Received {
  bytes: number;
}

type ReceiveOptions = TransferOptions & { add: (piece: Uint8Array) => void };

async function receiveAll(
  handle: FileHandle,
  source: Source,
  state: Received,
  options: ReceiveOptions,
): Promise<void> {
  options.onProgress(state.bytes);
  let before = state.bytes;
  while (state.bytes < source.sizeBytes) {
    // Only retries without any progress count: a large file may lose its connection more often.
    await retry({ ...RETRY, signal: options.signal, onRetry: options.onRetry }, async () => {
      await receive(handle, source, state, options).catch((error: unknown) => {
        if (state.bytes === before || !(error instanceof UploadError)) throw error;
      });
    });
    before = state.bytes;
  }
}

/** Receives bytes from the current offset on, until the answer ends. */
async function receive(
  handle: FileHandle,
  source: Source,
  state: Received,
  { signal, add, onProgress }: ReceiveOptions,
): Promise<void> {
  const headers = new Headers(source.headers);
  if (state.bytes > 0) headers.set('range', `bytes=${state.bytes}-`);
  const response = await request(source, headers, signal);
  const body = response.body?.getReader();
  for (;;) {
    const { done, value } = (await body?.read().catch((cause) => lost(signal, cause))) ?? {
      done: true,
    };
    if (done || value === undefined) break;
    signal.throwIfAborted();
    if (state.bytes + value.length > source.sizeBytes) throw changed(source);
    await handle.write(value, 0, value.length, state.bytes);
    add(value);
    onProgress(state.bytes);
  }
  if (state.bytes < source.sizeBytes) lost(signal, new Error('The answer ended early.'));
}

async function request({ label, url }: Source, headers: Headers, signal: AbortSignal) {
  const response = await fetch(url, { headers, signal }).catch((cause) => lost(signal, cause));
  const { status } = response;
  const isRange = headers.has('range');
  if (status === (isRange ? 206 : 200)) return response;
  await response.body?.cancel();
  if (status === 429 || status === 503) {
    const retryAfterMs = Number(response.headers.get('retry-after') ?? 1) * 1000;
    throw new UploadError('TOO_MANY_REQUESTS', 'The server is asked too often.', { retryAfterMs });
  }
  const what = isRange && status === 200 ? '200 to the request of a part' : String(status);
  throw new CommandError(`${label}: the server answered ${what}`);
}

function lost(signal: AbortSignal, cause: unknown): never {
  signal.throwIfAborted();
  throw new UploadError('UNREACHABLE', 'The connection was lost.', {}, { cause });
}

async function check(hash: Hash, source: Source, part: string): Promise<void> {
  if (source.md5 === null || hash.digest('hex') === source.md5) return;
  await rm(part, { force: true });
  throw changed(source);
}

function changed({ label }: Source): CommandError {
  return new CommandError(
    `${label}: the bytes do not have the MD5 or the size that the server promised; try again`,
  );
}

/** Gives the part its name. Without `force`, fails if another process has created a file of the name meanwhile. */
async function publish(part: string, path: string, { force }: TransferOptions): Promise<void> {
  if (force) return rename(part, path);
  try {
    await link(part, path);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    // Not every file system has links.
    if (!['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK'].includes(code)) throw error;
    return rename(part, path);
  }
  await rm(part);
}
