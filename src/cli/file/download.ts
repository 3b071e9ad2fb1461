import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UploadError } from '../../client/upload/upload-error.ts';
import {
  type ClientSetting,
  type Connection,
  type ServerFlags,
  withConnection,
} from '../connection.ts';
import {
  CommandError,
  createFailureList,
  describeCause,
  describeSystemError,
  type FailureList,
  isOfOneItem,
  UsageError,
} from '../failure.ts';
import { howToGoOn, untilInterrupted } from '../interrupt.ts';
import { printColumns, printJson } from '../output.ts';
import { startProgressBar } from '../progress-bar.ts';
import { findNode, isFolder, listChildren, type Node } from '../tree/node.ts';
import { createLocalNames } from './local-name.ts';
import { mediaSource, type Source, urlSource } from './source.ts';
import { transfer } from './transfer.ts';

/** The options of the command. */
export interface DownloadFlags extends ServerFlags {
  output?: string;
  force?: boolean;
  json?: boolean;
}

/** A file to download, and the path to write it to. */
interface Item {
  source: Source;
  path: string;
}

/** Downloads files and folders; continues after one that fails. Throws CommandError if any failed. */
export async function runDownload(
  names: readonly string[],
  flags: DownloadFlags,
  setting: Pick<ClientSetting, 'argv' | 'env'>,
): Promise<void> {
  const failures = createFailureList(names.length);
  const output = await findOutput(flags.output, new Set(names).size);
  await withConnection(flags, setting.env, (connection) =>
    untilInterrupted(
      async (signal) => {
        const items = await collect(connection, names, output, { signal, failures });
        failures.expect(items.length);
        await downloadAll(items, flags, { signal, failures });
      },
      () => howToGoOn(setting),
    ),
  );
  failures.throwIfAny('files');
}

/** Where downloads go. */
interface Output {
  path: string;
  /** Whether a single file goes into a directory at this path. If not, the path is that of the file. */
  isDirectory: boolean;
  exists: boolean;
}

async function findOutput(path: string | undefined, nameCount: number): Promise<Output> {
  if (path === undefined) return { path: '.', isDirectory: true, exists: true };
  if (path === '-' || path === '')
    throw new UsageError('--output: expected a path. `./-` is the path of a file named "-".');
  const stats = await stat(path).catch(() => null);
  const exists = stats !== null;
  const isDirectory = stats?.isDirectory() ?? (path.endsWith('/') || nameCount > 1);
  if (!isDirectory && nameCount > 1)
    throw new UsageError(`--output: several names need a directory, and ${path} is none.`);
  if (!exists && isDirectory) await makeDirectory(path);
  return { path, isDirectory, exists };
}

/**
 * Returns a function that chooses the path of a file or a folder. A folder always goes into a directory, whether that
 * exists or not: the first run of a command creates it, and the next run must find the same paths.
 */
function choosePaths({ path, isDirectory, exists }: Output) {
  const taken = createLocalNames();
  return (name: string, id: number, isOfFolder = false): string => {
    if (!isOfFolder && !isDirectory) return path;
    if (exists && !isDirectory)
      throw new CommandError(`${path}: is no directory, and a folder needs one`);
    return join(path, taken.choose(name, id));
  };
}

interface Progress {
  signal: AbortSignal;
  failures: FailureList;
}

/** Returns the files that the names mean; creates the directories of folders, empty ones too. */
async function collect(
  connection: Connection,
  names: readonly string[],
  output: Output,
  { signal, failures }: Progress,
): Promise<Item[]> {
  const items: Item[] = [];
  const pathFor = choosePaths(output);
  for (const name of new Set(names)) {
    signal.throwIfAborted();
    try {
      if (/^https?:\/\//i.test(name)) {
        const { source, name: local } = await urlSource(connection, name, signal);
        items.push({ source, path: pathFor(local, items.length) });
      } else {
        const node = await findNode(connection, name);
        const path = pathFor(node.name, node.databaseId, isFolder(node));
        await addNode(connection, node, path, { items, signal, label: name });
      }
    } catch (error) {
      signal.throwIfAborted();
      failures.add(toMessage(error, name));
    }
  }
  return items;
}

async function addNode(
  connection: Connection,
  node: Node,
  path: string,
  to: { items: Item[]; signal: AbortSignal; label: string },
): Promise<void> {
  to.signal.throwIfAborted();
  if (!isFolder(node)) {
    to.items.push({ source: mediaSource(connection, node, to.label), path });
    return;
  }
  await makeDirectory(path);
  const names = createLocalNames();
  for await (const child of listChildren(connection, node)) {
    const label = `${to.label.replace(/\/$/, '')}/${child.name}`;
    // A link has no file, and a folder may hold links.
    if (!isFolder(child) && child.file === null) continue;
    await addNode(connection, child, join(path, names.choose(child.name, child.databaseId)), {
      ...to,
      label,
    });
  }
}

async function makeDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true }).catch((error) => {
    throw new CommandError(`${path}: ${describeSystemError(error)}`, { cause: error });
  });
}

const WITHOUT_LOCATION =
  'the server sends it without its location; its size is right, its MD5 could not be compared';

async function downloadAll(
  items: readonly Item[],
  { force = false, json = false }: DownloadFlags,
  { signal, failures }: Progress,
): Promise<void> {
  const totalBytes = items.reduce((sum, { source }) => sum + source.sizeBytes, 0);
  const bar = startProgressBar(items.length, totalBytes);
  try {
    for (const { source, path } of items) {
      signal.throwIfAborted();
      bar.begin(path, source.sizeBytes);
      try {
        const { status, md5, isWithoutLocation } = await transfer(source, path, {
          force,
          signal,
          onProgress: bar.update,
          onRetry: ({ delayMs }) => bar.note(`| retry in ${Math.ceil(delayMs / 1000)} s`),
        });
        const { id, url, sizeBytes } = source;
        bar.above(() => {
          if (isWithoutLocation) console.error(`trivium: ${path}: ${WITHOUT_LOCATION}`);
          if (json) printJson({ path, status, id, url, sizeBytes, md5 });
          else printColumns([path, String(sizeBytes)]);
        });
      } catch (error) {
        signal.throwIfAborted();
        bar.above(() => failures.add(toMessage(error, source.label)));
      }
      bar.end();
    }
  } finally {
    bar.stop();
  }
}

/** Returns the message of a failure of one item. Throws an error that concerns all of them. */
function toMessage(error: unknown, label: string): string {
  if (error instanceof CommandError) return error.message;
  if (error instanceof UploadError) {
    if (!isOfOneItem(error)) throw error;
    return `${label}: ${error.message}`;
  }
  // `fetch` has failed.
  if (error instanceof TypeError) return `${label}: cannot be reached (${describeCause(error)})`;
  throw error;
}
