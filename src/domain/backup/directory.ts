import { createHash } from 'node:crypto';
import { createReadStream, promises as fs } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { BlobStore } from '../../blob/blob-store.ts';
import { createDirectory, flushDirectory, ifPresent } from '../../blob/disk.ts';
import { createFileBlobStore } from '../../blob/file-blob-store.ts';
import { LockedDatabaseError } from '../../store/error.ts';
import { lockFile } from '../../store/sqlite/process-lock.ts';
import { BackupError } from './error.ts';

/** The description of a snapshot, which is written last. */
export type Manifest = z.infer<typeof MANIFEST>;

/** The format of the files. A program refuses formats that are newer than its own. */
export const FORMAT = 1;

const MANIFEST = z.object({
  format: z.number(),
  createdAt: z.iso.datetime(),
  database: z.enum(['sqlite', 'postgres']),
  migrations: z.array(z.string()),
  tables: z.array(z.string().regex(/^\w+$/)),
  sequences: z.record(z.string(), z.number()),
  /** The blobs that the snapshot refers to. */
  blobs: z.object({ count: z.number(), sizeBytes: z.number() }),
  /** Keys of blobs that were missing or damaged when the backup was made. */
  damaged: z.array(z.string()),
  /** Size and SHA-256 of each other file of the snapshot, by its path in the snapshot. */
  files: z.record(z.string(), z.object({ sizeBytes: z.number(), sha256: z.string() })),
});

/** Name of the manifest in a snapshot. */
export const MANIFEST_FILE = 'manifest.json';

/** Name of the list of blobs in a snapshot. */
export const BLOBS_FILE = 'blobs.ndjson.gz';

/** Name of the folder of a snapshot that holds the secret keys of the installation. */
export const KEYS_FOLDER = 'keys';

/** A directory of backups: snapshots of the database, and the blobs that they refer to, each once. */
export interface BackupDirectory {
  path: string;
  blobs: BlobStore;
  /** Returns the names of the complete snapshots, oldest first. */
  list(): Promise<string[]>;
  /** Returns the path of a snapshot, whether it exists or not. */
  pathOf(name: string): string;
}

const NAME = /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-\d{3}Z$/;

/** What a directory of backups holds. */
const OWN = ['blobs', 'snapshots', 'backup.lock', 'lost+found'];

/** Opens a directory of backups. Throws BackupError if it is none. */
export async function openBackupDirectory(path: string): Promise<BackupDirectory> {
  const names = await ifPresent(fs.readdir(path));
  if (!names?.includes('snapshots')) throw new BackupError(`${path} holds no backup.`);
  return directoryAt(path);
}

/**
 * Runs `work` with a directory of backups, as the only process that writes to it. Creates it if it does not exist.
 * Throws BackupError if the directory holds anything else.
 */
export async function withBackupDirectory<T>(
  path: string,
  work: (directory: BackupDirectory) => Promise<T>,
): Promise<T> {
  const foreign = (await ifPresent(fs.readdir(path)))?.find((name) => !OWN.includes(name));
  if (foreign !== undefined)
    throw new BackupError(`${path} holds "${foreign}": a backup needs a directory of its own.`);
  await createDirectory(path);
  await fs.chmod(path, 0o700);
  const unlock = await lockDirectory(path);
  try {
    await createDirectory(join(path, 'snapshots'));
    return await work(await directoryAt(path));
  } finally {
    unlock();
  }
}

async function lockDirectory(path: string): Promise<() => void> {
  try {
    return await lockFile(join(path, 'backup'), { waitSeconds: 0, onWait: () => undefined });
  } catch (error) {
    if (!(error instanceof LockedDatabaseError)) throw error;
    throw new BackupError(`Another backup to ${path} is running.`, { cause: error });
  }
}

async function directoryAt(path: string): Promise<BackupDirectory> {
  const snapshots = join(path, 'snapshots');
  return {
    path,
    blobs: await createFileBlobStore({ directory: join(path, 'blobs') }),
    list: async () => (await fs.readdir(snapshots)).filter((name) => NAME.test(name)).sort(),
    pathOf: (name) => join(snapshots, name),
  };
}

/** Returns the name of a snapshot that is newer than all others, even if the clock has been set back. */
export function nextName(names: readonly string[], now: number): string {
  const last = names.at(-1);
  const time = last === undefined ? now : Math.max(now, timeOf(last) + 1);
  return new Date(time).toISOString().replace(/[:.]/g, '-');
}

function timeOf(name: string): number {
  return Date.parse(name.replace(/T(\d\d)-(\d\d)-(\d\d)-/, 'T$1:$2:$3.'));
}

/**
 * Writes a snapshot: `write` fills a folder, which gets its name only when everything in it is durable. A crash leaves a
 * folder without a valid name, which the next backup deletes.
 */
export async function writeFolder(
  directory: BackupDirectory,
  name: string,
  write: (folder: string) => Promise<Omit<Manifest, 'files' | 'format'>>,
): Promise<Manifest> {
  const parent = directory.pathOf('.');
  for (const other of await fs.readdir(parent)) {
    if (!NAME.test(other)) await fs.rm(directory.pathOf(other), { recursive: true });
  }
  const folder = directory.pathOf(`${name}.part`);
  await fs.mkdir(folder, { mode: 0o700 });
  const content = await write(folder);
  const manifest = { format: FORMAT, ...content, files: await digestsOf(folder) };
  const text = `${JSON.stringify(manifest, null, 2)}\n`;
  await fs.writeFile(join(folder, MANIFEST_FILE), text, { mode: 0o600, flush: true });
  await flushDirectory(folder);
  await fs.rename(folder, directory.pathOf(name));
  await flushDirectory(parent);
  return manifest;
}

/** Deletes a snapshot. It loses its valid name first, so that a crash leaves no half of it. */
export async function deleteFolder(directory: BackupDirectory, name: string): Promise<void> {
  const part = directory.pathOf(`${name}.deleted`);
  await fs.rename(directory.pathOf(name), part);
  await flushDirectory(directory.pathOf('.'));
  await fs.rm(part, { recursive: true });
}

/** Reads the manifest of a snapshot, and checks all of its files. Throws BackupError. */
export async function readManifest(folder: string): Promise<Manifest> {
  const text = await ifPresent(fs.readFile(join(folder, MANIFEST_FILE), 'utf8'));
  if (text === null) throw new BackupError(`${folder} is not a complete snapshot.`);
  const parsed = MANIFEST.safeParse(parseJson(text));
  const format = (parseJson(text) as { format?: unknown } | null)?.format;
  if (typeof format === 'number' && format > FORMAT)
    throw new BackupError(`${folder} was made by a newer version of this program.`);
  if (!parsed.success) throw new BackupError(`The manifest of ${folder} is damaged.`);
  const actual = await digestsOf(folder);
  for (const [name, { sizeBytes, sha256 }] of Object.entries(parsed.data.files)) {
    const file = actual[name];
    if (file?.sizeBytes !== sizeBytes || file.sha256 !== sha256)
      throw new BackupError(
        `${join(folder, name)} is damaged or missing. Restore another snapshot.`,
      );
  }
  return parsed.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Returns size and SHA-256 of each file in a folder, except of the manifest. */
async function digestsOf(folder: string): Promise<Manifest['files']> {
  const files: Manifest['files'] = {};
  for (const entry of await fs.readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile() || entry.name === MANIFEST_FILE) continue;
    const sha256 = createHash('sha256');
    let sizeBytes = 0;
    for await (const piece of createReadStream(path)) {
      sha256.update(piece);
      sizeBytes += (piece as Buffer).length;
    }
    files[path.slice(folder.length + 1)] = { sizeBytes, sha256: sha256.digest('hex') };
  }
  return files;
}
