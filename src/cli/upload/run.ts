import { createHash } from 'node:crypto';
import type { UploadedMedia, UploadedMediaType } from '../../client/operation.ts';
import type { Md5 } from '../../client/upload/blob-md5.ts';
import { UploadError } from '../../client/upload/upload-error.ts';
import {
  type ClientSetting,
  type Connection,
  RETRY,
  type ServerFlags,
  withConnection,
} from '../connection.ts';
import { createFailureList, type FailureList, isOfOneItem, UsageError } from '../failure.ts';
import { howToGoOn, untilInterrupted } from '../interrupt.ts';
import { printColumns, printJson } from '../output.ts';
import { createFolderMaker, type FolderMaker } from '../tree/folder.ts';
import { type BatchItem, sendBatch, type UploadStatus } from './batch.ts';
import { findDestination } from './destination.ts';
import { createExistingMedia } from './existing.ts';
import { type LocalFile, type LocalTree, readLocalTree } from './local-file.ts';
import { createSessionState } from './session-state.ts';

/** The options of the command. */
export interface UploadFlags extends ServerFlags {
  recursive?: boolean;
  hidden?: boolean;
  folder?: string;
  createFolder?: boolean;
  tag: string[];
  title?: string;
  type?: string;
  /** The upload session to resume; false: nothing is resumed, and every file is sent. */
  resume?: string | false;
  json?: boolean;
}

/** Uploads the files. Throws CommandError if any of them failed. */
export async function runUpload(
  paths: readonly string[],
  flags: UploadFlags,
  setting: Pick<ClientSetting, 'argv' | 'env' | 'md5WithoutLocation'>,
): Promise<void> {
  checkUsage(paths, flags);
  const failures = createFailureList(paths.length);
  const tree = await readLocalTree(paths, {
    isRecursive: flags.recursive ?? false,
    hasHidden: flags.hidden ?? false,
    failures,
  });
  if (flags.folder === undefined && tree.directories.some(({ name }) => name === null))
    throw new UsageError('Name a --folder for what is in the directory.');
  failures.expect(tree.files.length);
  printSkipped(tree);
  if (tree.files.length + tree.directories.length > 0) {
    await withConnection(flags, setting.env, (connection) =>
      untilInterrupted(
        (signal) => send(connection, tree, flags, { failures, signal, setting }),
        () => (flags.resume === false ? 'interrupted' : howToGoOn(setting)),
      ),
    );
  }
  failures.throwIfAny('files');
}

function checkUsage(paths: readonly string[], { title, resume, recursive }: UploadFlags): void {
  const isOne = paths.length === 1 && !recursive;
  if (!isOne && (title !== undefined || typeof resume === 'string'))
    throw new UsageError('--title and --resume need exactly one file.');
}

/** Hidden files are many, and expected. */
function printSkipped({ skipped }: LocalTree): void {
  for (const [reason, paths] of skipped) {
    if (reason === 'hidden') console.error(`trivium: skipped ${paths.length} hidden entries`);
    else for (const path of paths) console.error(`trivium: skipped ${path}: ${reason}`);
  }
}

interface Work {
  failures: FailureList;
  signal: AbortSignal;
  setting: Pick<ClientSetting, 'env' | 'md5WithoutLocation'>;
}

async function send(
  connection: Connection,
  tree: LocalTree,
  flags: UploadFlags,
  { failures, signal, setting }: Work,
): Promise<void> {
  const client = connection.createClient({ ...RETRY, createMd5, canStream: true });
  const folders = createFolderMaker(connection);
  const { folderId, tagIds } = await findDestination(client, folders, flags);
  const place = await createFolders(tree, folderId ?? null, folders, { failures, signal });
  const fields = { tagIds, title: flags.title, type: toType(flags.type) };
  const items = tree.files.flatMap((file): BatchItem[] => {
    const id = file.directory === null ? (folderId ?? null) : place.get(file.directory);
    if (id === undefined) return [];
    const isFolderNew = id !== null && folders.isNew(id);
    return [{ file, placement: { ...fields, folderId: id ?? undefined }, isFolderNew }];
  });
  const print = flags.json ? printMedia : printLine;
  await sendBatch(client, {
    items,
    uploadId: flags.resume || undefined,
    memory:
      flags.resume === false
        ? null
        : {
            existing: createExistingMedia(connection, setting.md5WithoutLocation),
            state: createSessionState(connection.url, setting.env),
          },
    onDone: print,
    failures,
    signal,
  });
}

type Places = Map<LocalTree['directories'][number], string | null>;

/** Returns the ids of the folders of directories. Those that cannot be created fail, with what is in them. */
async function createFolders(
  { directories, files }: LocalTree,
  topId: string | null,
  folders: FolderMaker,
  { failures, signal }: Pick<Work, 'failures' | 'signal'>,
): Promise<Places> {
  const places: Places = new Map();
  for (const directory of directories) {
    signal.throwIfAborted();
    const parentId = directory.parent === null ? topId : places.get(directory.parent);
    if (parentId === undefined) continue;
    try {
      const { name } = directory;
      places.set(directory, name === null ? parentId : await folders.ensure(parentId, name));
    } catch (error) {
      if (!(error instanceof UploadError) || !isOfOneItem(error)) throw error;
      const isBelow = ({ path }: LocalFile) => path.startsWith(`${directory.path}/`);
      const count = files.filter(isBelow).length;
      failures.add(`${directory.path}: ${error.message} (with ${count} files in it)`, count);
    }
  }
  return places;
}

function toType(type: string | undefined): UploadedMediaType | undefined {
  return type?.toUpperCase().replace('-', '_') as UploadedMediaType | undefined;
}

/** Creates an MD5 seven times as fast as the client's own, which also runs in browsers. */
function createMd5(): Md5 {
  const hash = createHash('md5');
  return {
    append: (bytes) => hash.update(bytes),
    end: () => hash.digest('hex'),
  };
}

function printLine({ path }: LocalFile, { id, url }: UploadedMedia): void {
  printColumns([id, url, path]);
}

function printMedia({ path }: LocalFile, media: UploadedMedia, status: UploadStatus): void {
  printJson({ path, status, ...media });
}
