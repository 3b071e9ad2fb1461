import { isUtf8 } from 'node:buffer';
import { constants, type Dirent } from 'node:fs';
import { access, readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { CommandError, describeSystemError, type FailureList } from '../failure.ts';

/** A local file that can be uploaded. */
export interface LocalFile {
  /** As given on the command line, or below a directory that is. */
  path: string;
  filename: string;
  sizeBytes: number;
  modifiedMs: number;
  /** The directory that it is uploaded with; null: it is named itself. */
  directory: LocalDirectory | null;
}

/** A local directory that becomes a folder. */
export interface LocalDirectory {
  path: string;
  /** Null: its contents go where the directory would. */
  name: string | null;
  parent: LocalDirectory | null;
}

/** What is to be uploaded. */
export interface LocalTree {
  /** Each after its parent. */
  directories: LocalDirectory[];
  files: LocalFile[];
  /** Entries of directories that are not uploaded, by the reason. */
  skipped: Map<string, string[]>;
}

/** How directories are read. */
export interface ReadOptions {
  isRecursive: boolean;
  /** Whether names that begin with a dot are uploaded, too. */
  hasHidden: boolean;
  failures: FailureList;
}

/** Finds what can be uploaded, in order; adds the other paths to `failures`, with the reason. */
export async function readLocalTree(
  paths: readonly string[],
  options: ReadOptions,
): Promise<LocalTree> {
  const tree: LocalTree = { directories: [], files: [], skipped: new Map() };
  for (const path of paths) {
    await attempt(path, options, async () => {
      const stats = await stat(path);
      if (!stats.isDirectory()) return void tree.files.push(await readFile(path, null));
      if (!options.isRecursive)
        throw new CommandError(`${path}: is a directory; add --recursive to upload what is in it`);
      const name = basename(path);
      // As for cp: `.` is what is in the directory. A name of this kind would be no name of a folder.
      const isContents = /(^|\/)\.{1,2}\/*$/.test(path) || name === '';
      await readDirectory({ path, name: isContents ? null : name, parent: null }, tree, options);
    });
  }
  return tree;
}

async function readDirectory(
  directory: LocalDirectory,
  tree: LocalTree,
  options: ReadOptions,
): Promise<void> {
  // As bytes: a name that is not UTF-8 would be another name as a text.
  const entries = await readdir(directory.path, { withFileTypes: true, encoding: 'buffer' });
  tree.directories.push(directory);
  for (const entry of entries.sort((one, other) => Buffer.compare(one.name, other.name))) {
    const path = join(directory.path, entry.name.toString());
    await attempt(path, options, () => readEntry(entry, path, directory, tree, options));
  }
}

async function readEntry(
  entry: Dirent<Buffer>,
  path: string,
  parent: LocalDirectory,
  tree: LocalTree,
  options: ReadOptions,
): Promise<void> {
  const name = entry.name.toString();
  const skip = (reason: string) =>
    void tree.skipped.set(reason, [...(tree.skipped.get(reason) ?? []), path]);
  if (!options.hasHidden && name.startsWith('.')) return skip('hidden');
  if (!isUtf8(entry.name)) throw new CommandError(`${path}: the name is not UTF-8`);
  // A link may lead out of the directory, or around in a circle.
  if (entry.isSymbolicLink()) return skip('a symbolic link');
  if (entry.isDirectory()) return readDirectory({ path, name, parent }, tree, options);
  if (!entry.isFile()) return skip('no regular file');
  if ((await stat(path)).size === 0) return skip('empty');
  tree.files.push(await readFile(path, parent));
}

async function readFile(path: string, directory: LocalDirectory | null): Promise<LocalFile> {
  const stats = await stat(path);
  const { size, mtimeMs } = stats;
  if (!stats.isFile()) throw new CommandError(`${path}: is not a regular file`);
  if (size === 0) throw new CommandError(`${path}: is empty`);
  await access(path, constants.R_OK);
  return { path, filename: basename(path), sizeBytes: size, modifiedMs: mtimeMs, directory };
}

/** Runs work; a failure is that of the path. */
async function attempt(
  path: string,
  { failures }: ReadOptions,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    const isKnown = error instanceof CommandError;
    if (!isKnown && !(error instanceof Error && 'syscall' in error)) throw error;
    failures.add(isKnown ? error.message : `${path}: ${describeSystemError(error)}`);
  }
}
