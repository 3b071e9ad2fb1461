import * as fs from 'node:fs/promises';
import { join } from 'node:path';
import { isBlobKey, requireBlobKey } from './blob-key.ts';
import {
  type BlobEntry,
  BlobNotFoundError,
  type BlobStore,
  type BlobStream,
} from './blob-store.ts';
import { type ByteRange, requireByteCount } from './byte-range.ts';
import {
  closeDescriptor,
  flushData,
  openDescriptor,
  statDescriptor,
  truncateDescriptor,
} from './descriptor.ts';
import { createDirectoryFlush } from './directory-flush.ts';
import { checkDirectory, createDirectory, ifPresent, sizeOf } from './disk.ts';
import { type BufferPool, openFileStream } from './file-stream.ts';
import { type OnWritten, writeAll } from './file-write.ts';
import { createKeptDescriptors, type KeptDescriptors } from './kept-descriptors.ts';
import { requireStored } from './require-stored.ts';
import type { AppendOptions, Staging } from './staging.ts';

/** Options of `createFileStaging`. */
export interface FileStagingOptions {
  /** Created if it does not exist. Only one staging area may use it. */
  directory: string;
  /** The store that promoted bytes go to. */
  blobs: BlobStore;
  /** Called for every batch of bytes that is written. */
  onWritten?: OnWritten;
  /** Time for which a file stays open for its next append. (Default: 10 s) */
  keptOpenMs?: number;
}

const KEPT_OPEN_MS = 10_000;

/**
 * Opens a staging area of files: `<directory>/<key>`. Promotion moves the file if the blob store can adopt it, which
 * needs one file system, and otherwise copies it. Throws the error of the file system if the directory cannot be
 * created.
 */
export async function createFileStaging(options: FileStagingOptions): Promise<Staging> {
  return new FileStaging({ ...options, directory: await createDirectory(options.directory) });
}

class FileStaging implements Staging {
  readonly isLocal = true;
  readonly #pool: BufferPool = [];
  readonly #flushDirectory = createDirectoryFlush();
  readonly #descriptors: KeptDescriptors;
  readonly #directory: string;
  readonly #blobs: BlobStore;
  readonly #onWritten: OnWritten | undefined;

  constructor({ directory, blobs, onWritten, keptOpenMs = KEPT_OPEN_MS }: FileStagingOptions) {
    this.#descriptors = createKeptDescriptors(keptOpenMs);
    this.#directory = directory;
    this.#blobs = blobs;
    this.#onWritten = onWritten;
  }

  async append(
    key: string,
    offsetBytes: number,
    source: AsyncIterable<Uint8Array>,
    { check = () => undefined }: AppendOptions = {},
  ) {
    const path = this.#path(key);
    const onWritten = this.#onWritten;
    const isNew = requireByteCount(offsetBytes) === 0;
    const opened = isNew
      ? { fd: await openDescriptor(path, 'w'), sizeBytes: 0 }
      : await this.#reopen(key);
    if (opened === null) throw new BlobNotFoundError(key);
    const { fd } = opened;
    try {
      // Right before, because another process may have appended since this one was allowed to.
      check();
      await cut(opened, offsetBytes);
      const countBytes = await writeAll(fd, offsetBytes, source, { onWritten, check });
      await flushData(fd);
      // Also when the file existed: the process that created it may have died before this line.
      if (isNew) await this.#flushDirectory(this.#directory);
      this.#descriptors.keep(key, fd);
      return countBytes;
    } catch (error) {
      closeDescriptor(fd);
      throw error;
    }
  }

  async read(key: string, range?: ByteRange): Promise<BlobStream> {
    const staged = await openFileStream(this.#path(key), range, this.#pool);
    return staged ?? this.#blobs.read(key, range);
  }

  async withLocalFile<T>(key: string, work: (path: string) => Promise<T>) {
    const path = this.#path(key);
    if ((await sizeOf(path)) !== null) {
      try {
        return await work(path);
      } catch (error) {
        if ((await sizeOf(path)) !== null) throw error;
      }
    }
    return this.#blobs.withLocalFile(key, work);
  }

  async promote(key: string, sizeBytes: number) {
    const path = this.#path(key);
    this.#descriptors.close(key);
    const isStaged = await cutTo(path, requireByteCount(sizeBytes));
    const isStored =
      isStaged &&
      ((await this.#blobs.adopt?.(key, path)) || (await this.#copy(key, path, sizeBytes)));
    if (!isStored) await requireStored(this.#blobs, key, sizeBytes);
    // Also when nothing was moved: the process that did may have died before this line.
    await this.#flushDirectory(this.#directory);
  }

  async discard(key: string) {
    this.#descriptors.close(key);
    await ifPresent(fs.unlink(this.#path(key)));
  }

  async stat(key: string) {
    const sizeBytes = await sizeOf(this.#path(key));
    return sizeBytes === null ? null : { sizeBytes };
  }

  async *list(): AsyncGenerator<BlobEntry> {
    for await (const { name: key } of (await ifPresent(fs.opendir(this.#directory))) ?? []) {
      const found = isBlobKey(key) ? await ifPresent(fs.stat(this.#path(key))) : null;
      if (found !== null) yield { key, sizeBytes: found.size, modifiedAt: found.mtime };
    }
  }

  async check() {
    await checkDirectory(this.#directory);
  }

  close() {
    this.#descriptors.closeAll();
  }

  #path(key: string): string {
    return join(this.#directory, requireBlobKey(key));
  }

  /** Returns a staged file that the last append has kept open, or opens it; null if it is gone. */
  async #reopen(key: string): Promise<OpenFile | null> {
    const path = this.#path(key);
    const fd = this.#descriptors.take(key);
    if (fd === undefined) return openFile(path);
    // Another process may have deleted the file, or promoted it: a write would then change a blob.
    const sizeBytes = await sizeOf(path);
    if (sizeBytes !== null) return { fd, sizeBytes };
    closeDescriptor(fd);
    return null;
  }

  /** Returns false if the file does not exist: a concurrent promotion has moved it. */
  async #copy(key: string, path: string, sizeBytes: number): Promise<boolean> {
    const bytes = await openFileStream(path, undefined, this.#pool);
    if (bytes === null) return false;
    await this.#blobs.put(key, sizeBytes, bytes);
    await this.discard(key);
    return true;
  }

  async freeBytes() {
    const { bavail, bsize } = await fs.statfs(this.#directory);
    return bavail * bsize;
  }
}

/** Cuts a staged file to `sizeBytes`, durably; returns false if it does not exist. */
async function cutTo(path: string, sizeBytes: number): Promise<boolean> {
  // The common cases cost one stat, and no handle.
  const stagedBytes = await sizeOf(path);
  if (stagedBytes === null || stagedBytes === sizeBytes) return stagedBytes !== null;
  const file = await openFile(path);
  if (file === null) return false;
  try {
    await cut(file, sizeBytes);
    await flushData(file.fd);
    return true;
  } finally {
    closeDescriptor(file.fd);
  }
}

interface OpenFile {
  fd: number;
  sizeBytes: number;
}

/** Opens a file to write to it; null if it does not exist. */
async function openFile(path: string): Promise<OpenFile | null> {
  const fd = await ifPresent(openDescriptor(path, 'r+'));
  if (fd === null) return null;
  try {
    return { fd, sizeBytes: (await statDescriptor(fd)).size };
  } catch (error) {
    closeDescriptor(fd);
    throw error;
  }
}

async function cut({ fd, sizeBytes: stagedBytes }: OpenFile, sizeBytes: number): Promise<void> {
  if (stagedBytes < sizeBytes)
    throw new Error(`Only ${stagedBytes} of ${sizeBytes} bytes are staged`);
  if (stagedBytes > sizeBytes) await truncateDescriptor(fd, sizeBytes);
}
