import { openAsBlob } from 'node:fs';
import type { Placement, UploadedMedia } from '../../client/operation.ts';
import type { UploadClient } from '../../client/upload/upload-client.ts';
import { UploadError } from '../../client/upload/upload-error.ts';
import { CommandError, describeSystemError, type FailureList, isOfOneItem } from '../failure.ts';
import { type ProgressBar, startProgressBar } from '../progress-bar.ts';
import type { ExistingMedia } from './existing.ts';
import type { LocalFile } from './local-file.ts';
import type { SessionState } from './session-state.ts';

/** A file, and the fields of its media item. */
export interface BatchItem {
  file: LocalFile;
  placement: Placement;
  /** Whether its folder holds nothing that an earlier run could have uploaded. */
  isFolderNew: boolean;
}

/** What became of a file: it was stored, or it was there already. */
export type UploadStatus = 'stored' | 'exists';

/** Files to upload one after the other, with callbacks for the results. */
export interface Batch {
  items: readonly BatchItem[];
  /** The session to resume, with a single file. */
  uploadId: string | undefined;
  /** How to find what earlier runs have done; null: every file is sent from its beginning. */
  memory: { existing: ExistingMedia; state: SessionState } | null;
  onDone: (file: LocalFile, media: UploadedMedia, status: UploadStatus) => void;
  failures: FailureList;
  signal: AbortSignal;
}

/** Uploads the files; continues after one that fails. Throws UploadError if the server fails. */
export async function sendBatch(client: UploadClient, batch: Batch): Promise<void> {
  const { items, failures, signal } = batch;
  const totalBytes = items.reduce((sum, { file }) => sum + file.sizeBytes, 0);
  const bar = startProgressBar(items.length, totalBytes);
  try {
    for (const item of items) {
      signal.throwIfAborted();
      const { file } = item;
      bar.begin(file.filename, file.sizeBytes);
      try {
        const { media, status } = await sendOrFind(client, item, batch, bar);
        bar.above(() => batch.onDone(file, media, status));
      } catch (error) {
        signal.throwIfAborted();
        bar.above(() => failures.add(toMessage(error, file)));
        await giveUp(client, error, file, batch);
      }
      bar.end();
    }
  } finally {
    bar.stop();
  }
}

/** Returns the message of a failure of one file. Throws an error that concerns all of them. */
function toMessage(error: unknown, { path }: LocalFile): string {
  if (error instanceof UploadError && isOfOneItem(error)) return `${path}: ${error.message}`;
  if (error instanceof CommandError) return error.message;
  if (!(error instanceof UploadError) && error instanceof Error && 'syscall' in error)
    return `${path}: ${describeSystemError(error)}`;
  throw error;
}

/** A retry cannot succeed, so the server need not keep the bytes until they expire. */
async function giveUp(
  client: UploadClient,
  error: unknown,
  file: LocalFile,
  { memory }: Batch,
): Promise<void> {
  if (!(error instanceof UploadError) || error.uploadId === null) return;
  await client.abort(error.uploadId).catch(() => {});
  memory?.state.remove(file);
}

interface Sent {
  media: UploadedMedia;
  status: UploadStatus;
}

async function sendOrFind(
  client: UploadClient,
  item: BatchItem,
  batch: Batch,
  bar: ProgressBar,
): Promise<Sent> {
  const { memory, uploadId } = batch;
  const send = async (uploadId: string | undefined): Promise<Sent> => ({
    media: await sendFile(client, item, batch, { bar, uploadId }),
    status: 'stored',
  });
  if (memory === null || uploadId !== undefined) return send(uploadId);
  const begun = memory.state.find(item.file);
  const resumed = begun === null ? null : await send(begun).catch(nullIfOver);
  if (resumed !== null) return resumed;
  if (!item.isFolderNew) {
    bar.note('| comparing');
    const media = await memory.existing.find(item.file, item.placement, batch.signal);
    if (media !== null) {
      memory.state.remove(item.file);
      return { media, status: 'exists' };
    }
  }
  return send(undefined);
}

/** A session that is over cannot be resumed: the file has been stored, or its bytes have been deleted. */
function nullIfOver(error: unknown): null {
  const codes = ['NOT_FOUND', 'UPLOAD_EXPIRED', 'UPLOAD_COMPLETED'];
  if (error instanceof UploadError && codes.includes(error.code)) return null;
  throw error;
}

async function open({ path }: LocalFile): Promise<Blob> {
  return openAsBlob(path).catch((cause) => {
    throw new CommandError(`${path}: can no longer be read`, { cause });
  });
}

/** A smaller file is sent again from its beginning: remembering it would take as long. */
const REMEMBERED_BYTES_MIN = 2 ** 20;

async function sendFile(
  client: UploadClient,
  { file, placement }: BatchItem,
  { memory, signal }: Batch,
  { bar, uploadId }: { bar: ProgressBar; uploadId: string | undefined },
): Promise<UploadedMedia> {
  const isRemembered = memory !== null && file.sizeBytes >= REMEMBERED_BYTES_MIN;
  let saved = uploadId ?? null;
  const media = await client.upload(await open(file), {
    ...placement,
    filename: file.filename,
    uploadId,
    signal,
    keepSession: isRemembered,
    onProgress: (progress) => {
      bar.update(progress.sentBytes);
      if (!isRemembered || progress.uploadId === null || progress.uploadId === saved) return;
      saved = progress.uploadId;
      memory.state.save(file, saved);
    },
    onRetry: ({ error, delayMs }) =>
      bar.note(`| ${error.code}, retry in ${Math.ceil(delayMs / 1000)} s`),
  });
  if (isRemembered) memory.state.remove(file);
  return media;
}
