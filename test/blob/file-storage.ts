import { exec } from 'node:child_process';
import { mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { createFileBlobStore } from '../../src/blob/file-blob-store.ts';
import { createFileStaging } from '../../src/blob/file-staging.ts';
import type { Storage } from './staging-contract.ts';

/** The key of a blob. It lies in `01/ab`. */
export const KEY = `01ab${'c'.repeat(28)}`;

/** Shorter than a test waits for the end of all handles. */
export const KEPT_OPEN_MS = 50;

/** Storage on disk, laid out as the server does: `staging/` and `stored/` in one directory. */
export async function openFileStorage(directory: string): Promise<Storage> {
  const blobs = await createFileBlobStore({ directory: join(directory, 'stored') });
  return {
    blobs,
    staging: await createFileStaging({
      directory: join(directory, 'staging'),
      blobs,
      keptOpenMs: KEPT_OPEN_MS,
    }),
  };
}

/** Runs `work` with storage in a new directory, then deletes it. */
export async function withFileStorage(
  work: (storage: Storage & { directory: string }) => Promise<void>,
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'trivium-blob-'));
  try {
    await work({ directory, ...(await openFileStorage(directory)) });
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** Paths below `directory` that this process holds open. Linux only. */
export async function openPaths(directory: string): Promise<string[]> {
  const handles = await readdir('/proc/self/fd');
  const paths = handles.map((handle) => readlink(`/proc/self/fd/${handle}`).catch(() => ''));
  return (await Promise.all(paths)).filter((path) => path.startsWith(directory));
}

/**
 * Runs `code` against `staging` and `blobs` in another process. Returns the file system calls that Node's tracing saw,
 * in order, from when the storage is open; paths are relative to `directory`.
 */
export async function traceCalls(directory: string, code: string): Promise<string[]> {
  const file = join(directory, 'trace.json');
  const flags = `--trace-event-categories node.fs.async --trace-event-file-pattern '${file}'`;
  await runChild(directory, code, '', flags);
  const { traceEvents }: { traceEvents: TraceEvent[] } = JSON.parse(await readFile(file, 'utf8'));
  const calls = traceEvents
    .filter(({ ph }) => ph === 'b')
    .map(({ name, args }) => (args.path ? `${name} ${relative(directory, args.path)}` : name));
  // Opening the storage ends with a flush of its directory: open, fsync, close.
  return calls.slice(calls.lastIndexOf('open ') + 3);
}

interface TraceEvent {
  ph: string;
  name: string;
  args: { path?: string };
}

/** Runs `code` against `staging` and `blobs` in another process. Returns what it prints. */
export async function runChild(
  directory: string,
  code: string,
  before = '',
  flags = '',
): Promise<string> {
  const module = import.meta.resolve('./file-storage.ts');
  const script = `import { openFileStorage } from '${module}';
    const { staging, blobs } = await openFileStorage('${directory}');
    ${code}`;
  const command = `${before} exec '${process.execPath}' ${flags} --input-type=module -e "$SCRIPT"`;
  const { stdout } = await promisify(exec)(command, { env: { SCRIPT: script } });
  return stdout;
}
