import * as fs from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fewRandomBytes } from '../lib/random.ts';
import { requireBlobKey } from './blob-key.ts';
import {
  type BlobEntry,
  BlobNotFoundError,
  type BlobStore,
  type BlobStream,
  type Pieces,
} from './blob-store.ts';
import { type ByteRange, requireByteCount } from './byte-range.ts';
import { closeDescriptor, flushData, openDescriptor } from './descriptor.ts';
import { createDirectoryFlush } from './directory-flush.ts';
import { checkDirectory, createDirectory, ifPresent, isSystemError, sizeOf } from './disk.ts';
import { type BufferPool, openFileStream } from './file-stream.ts';
import { type OnWritten, writeAll } from './file-write.ts';

/** Options of `createFileBlobStore`. */
export interface FileBlobStoreOptions {
  /** Created if it does not exist. Only one blob store may use it. */
  directory: string;
  /** Called for every batch of bytes that `put` writes. */
  onWritten?: OnWritten;
}

/**
 * Opens a blob store of files: `<directory>/<k0k1>/<k2k3>/<key>`. `put` writes beside that, to `<key>.<random>.part`,
 * and renames. Throws the error of the file system if the directory cannot be created.
 */
export async function createFileBlobStore(options: FileBlobStoreOptions): Promise<BlobStore> {
  return new FileBlobStore({ ...options, directory: await createDirectory(options.directory) });
}

class FileBlobStore implements BlobStore {
  readonly #pool: BufferPool = [];
  readonly #flushDirectory = createDirectoryFlush();
  readonly #directory: string;
  readonly #onWritten: OnWritten | undefined;
  /**
   * Directories whose own name this process knows to be durable. Existence is not enough: the process that created one
   * may have died before it flushed. At most 256 + 65,536 of them.
   */
  readonly #durable = new Set<string>();

  constructor({ directory, onWritten }: FileBlobStoreOptions) {
    this.#directory = directory;
    this.#onWritten = onWritten;
  }

  async put(key: string, sizeBytes: number, source: Pieces) {
    const path = this.#path(key);
    requireByteCount(sizeBytes);
    const part = `${path}.${fewRandomBytes(4).toString('hex')}.part`;
    const fd = await this.#inShard(dirname(path), () => ifPresent(openDescriptor(part, 'wx')));
    try {
      try {
        const writtenBytes = await writeAll(fd, 0, source, {
          onWritten: this.#onWritten,
        });
        if (writtenBytes !== sizeBytes) {
          throw new Error(`Expected ${sizeBytes} bytes, got ${writtenBytes}`);
        }
        await flushData(fd);
      } finally {
        closeDescriptor(fd);
      }
      await fs.rename(part, path);
    } catch (error) {
      await fs.rm(part, { force: true });
      throw error;
    }
    await this.#flush(dirname(path));
  }

  async adopt(key: string, from: string) {
    const path = this.#path(key);
    try {
      const isMoved = await this.#inShard(dirname(path), async () => {
        if (await ifPresent(fs.rename(from, path).then(() => true))) return true;
        return (await sizeOf(from)) === null ? false : null;
      });
      if (isMoved) await this.#flush(dirname(path));
      return isMoved;
    } catch (error) {
      if (isSystemError(error, 'EXDEV')) return false;
      throw error;
    }
  }

  async stat(key: string) {
    const path = this.#path(key);
    const sizeBytes = await sizeOf(path);
    if (sizeBytes === null) return null;
    await this.#flush(dirname(path));
    return { sizeBytes };
  }

  async read(key: string, range?: ByteRange): Promise<BlobStream> {
    const stream = await openFileStream(this.#path(key), range, this.#pool);
    if (stream === null) throw new BlobNotFoundError(key);
    return stream;
  }

  async withLocalFile<T>(key: string, work: (path: string) => Promise<T>) {
    const path = this.#path(key);
    if ((await sizeOf(path)) === null) throw new BlobNotFoundError(key);
    try {
      return await work(path);
    } catch (error) {
      if ((await sizeOf(path)) === null) throw new BlobNotFoundError(key);
      throw error;
    }
  }

  async delete(key: string) {
    const path = this.#path(key);
    await ifPresent(fs.unlink(path));
    for (const name of await namesIn(dirname(path))) {
      if (keyOf(name) === key) await ifPresent(fs.unlink(join(dirname(path), name)));
    }
  }

  async *list(): AsyncGenerator<BlobEntry> {
    for (const outer of await shardsIn(this.#directory)) {
      for (const shard of await shardsIn(outer)) yield* entriesIn(shard);
    }
  }

  async check() {
    await checkDirectory(this.#directory);
  }

  #path(key: string): string {
    return join(this.#directory, requireBlobKey(key).slice(0, 2), key.slice(2, 4), key);
  }

  /** Runs `work`, which returns null if the shard does not exist: someone may have deleted empty directories. */
  async #inShard<T>(shard: string, work: () => Promise<T | null>): Promise<T> {
    for (;;) {
      if (!this.#durable.has(shard)) await fs.mkdir(shard, { recursive: true });
      const result = await work();
      if (result !== null) return result;
      for (const gone of [shard, dirname(shard)]) this.#durable.delete(gone);
    }
  }

  /** Makes the names in a shard, and the name of the shard, durable. */
  async #flush(shard: string): Promise<void> {
    const fresh = [shard, dirname(shard)].filter((path) => !this.#durable.has(path));
    const parents = fresh.map((path) => dirname(path));
    await Promise.all([shard, ...parents].map((path) => this.#flushDirectory(path)));
    for (const path of fresh) this.#durable.add(path);
  }
}

/** Lists the blobs of a shard in the order of their keys; the leftovers of an interrupted `put` stand for the blob. */
async function* entriesIn(shard: string): AsyncGenerator<BlobEntry> {
  const names = (await namesIn(shard)).filter((name) => keyOf(name) !== null);
  const byKey = Map.groupBy(names, (name) => keyOf(name) ?? '');
  for (const [key, names] of [...byKey].sort(([one], [other]) => (one < other ? -1 : 1))) {
    const [whole, ...parts] = names.sort();
    // Sorted, the whole blob comes before the leftovers of its key.
    for (const name of whole === key ? [key] : [whole ?? key, ...parts]) {
      const found = await ifPresent(fs.stat(join(shard, name)));
      if (found === null) continue;
      yield { key, sizeBytes: found.size, modifiedAt: found.mtime };
      break;
    }
  }
}

const NAME = /^([0-9a-f]{32})(?:\.[0-9a-f]+\.part)?$/;

/** Returns the key that a file in a shard belongs to; null if it belongs to none. */
function keyOf(name: string): string | null {
  return NAME.exec(name)?.[1] ?? null;
}

/** Returns the paths of the directories of the next level, sorted. */
async function shardsIn(directory: string): Promise<string[]> {
  const entries = (await ifPresent(fs.readdir(directory, { withFileTypes: true }))) ?? [];
  const shards = entries.filter((entry) => entry.isDirectory() && /^[0-9a-f]{2}$/.test(entry.name));
  return shards.map(({ name }) => join(directory, name)).sort();
}

async function namesIn(directory: string): Promise<string[]> {
  return (await ifPresent(fs.readdir(directory))) ?? [];
}
