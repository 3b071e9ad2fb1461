import { createHash, type Hash } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { type FileHandle, link, open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type RetryNotice, retry } from '../../client/retry.ts';
import { UploadError } from '../../client/upload/upload-error.ts';
import { RETRY } from '../connection.ts';
import { CommandError, describeSystemError } from '../failure.ts';
import { isWithoutLocation, type Source } from './source.ts';

/** Options of one download. */
export interface TransferOptions {
  /** Whether to replace a file that exists and has another content. */
  force: boolean;
  signal: AbortSignal;
  onProgress: (bytes: number) => void;
  onRetry: (notice: RetryNotice) => void;
}

/** What became of a file. */
export interface Transferred {
  /** It was written, or it was there already with this content. */
  status: 'stored' | 'exists';
  /** MD5 of the local file, as 32 hex digits. */
  md5: string;
  /** Whether the server has sent it without its location, so that its MD5 could not be compared. */
  isWithoutLocation: boolean;
}

/**
 * Writes a file, which appears under its name once it is complete and its MD5 is right. The bytes of a broken download
 * stay beside it, and the next one continues after them. Throws CommandError, and UploadError if the server cannot be
 * reached.
 */
export async function transfer(
  source: Source,
  path: string,
  options: TransferOptions,
): Promise<Transferred> {
  try {
    const local = await findLocal(source, path);
    if (local !== null && local === source.md5)
      return { status: 'exists', md5: local, isWithoutLocation: false };
    // Another content is right if it is that without the location, which only the bytes can tell.
    const mayBeRight = typeof local === 'string' && (await isSentWithoutLocation(source, options));
    if (local !== undefined && !options.force && !mayBeRight) throw differs(path);
    const part = partPath(source, path);
    const filled = await fill(part, source, options);
    if (filled.md5 === local) {
      await rm(part);
      return { status: 'exists', ...filled };
    }
    if (local !== undefined && !options.force) {
      await rm(part);
      throw differs(path);
    }
    await publish(part, path, options);
    return { status: 'stored', ...filled };
  } catch (error) {
    if (error instanceof Error && 'syscall' in error)
      throw new CommandError(`${path}: ${describeSystemError(error)}`, { cause: error });
    throw error;
  }
}

/**
 * Returns the MD5 of the local file; null if the file differs from the source in its size or in known content; undefined
 * if no local file exists.
 */
async function findLocal({ sizeBytes, md5 }: Source, path: string) {
  const stats = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    return null;
  });
  if (stats === null) return undefined;
  if (!stats.isFile()) throw new CommandError(`${path}: exists, and is no regular file`);
  return stats.size === sizeBytes && md5 !== null ? md5Of(path) : null;
}

function differs(path: string): CommandError {
  return new CommandError(`${path}: exists, and has another content; --force replaces it`);
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
async function fill(
  part: string,
  source: Source,
  options: TransferOptions,
): Promise<Omit<Transferred, 'status'>> {
  const handle = await open(part, O_RDWR | O_CREAT | O_NOFOLLOW, 0o666);
  try {
    const state: Received = { bytes: 0, hash: createHash('md5'), etag: undefined };
    const add = (piece: Uint8Array) => {
      state.hash.update(piece);
      state.bytes += piece.length;
    };
    const { size } = await handle.stat();
    if (size > source.sizeBytes) await handle.truncate(0);
    for await (const piece of handle.createReadStream({ start: 0, autoClose: false })) add(piece);
    await receiveAll(handle, source, state, { ...options, add });
    await handle.sync();
    const md5 = state.hash.digest('hex');
    const isWithout = isWithoutLocation(state.etag ?? null);
    if (source.md5 !== null && !isWithout && md5 !== source.md5) {
      await rm(part, { force: true });
      throw changed(source);
    }
    return { md5, isWithoutLocation: isWithout };
  } finally {
    await handle.close();
  }
}

interface Received {
  bytes: number;
  hash: Hash;
  /** The tag of the bytes that were received; undefined: no answer has come yet, and the bytes are of an earlier run. */
  etag: string | null | undefined;
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
  if (!(await isContinuation(response, source, state))) return forget(handle, state);
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

/**
 * Tells whether the bytes of an answer may follow those that are there. Bytes of an earlier run may have the location or
 * not, and no MD5 tells it afterwards. Throws CommandError if the content has changed.
 */
async function isContinuation({ headers, body }: Response, source: Source, state: Received) {
  const etag = headers.get('etag');
  const isUnsure = state.etag === undefined && state.bytes > 0 && isWithoutLocation(etag);
  const isSame = state.etag === undefined || state.etag === etag;
  if (isUnsure || !isSame) await body?.cancel();
  if (!isSame) throw changed(source);
  state.etag = etag;
  return !isUnsure;
}

async function forget(handle: FileHandle, state: Received): Promise<void> {
  await handle.truncate(0);
  state.bytes = 0;
  state.hash = createHash('md5');
}

async function isSentWithoutLocation({ label, url, headers }: Source, { signal }: TransferOptions) {
  const response = await fetch(url, { method: 'HEAD', headers, signal }).catch((cause) =>
    lost(signal, cause),
  );
  if (!response.ok) throw new CommandError(`${label}: the server answered ${response.status}`);
  return isWithoutLocation(response.headers.get('etag'));
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
