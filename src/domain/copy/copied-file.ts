import { BlobNotFoundError, BlobSizeError } from '../../blob/blob-store.ts';
import { type FileOfMediaRow, listFilesByMediaIds } from '../../store/file/file.ts';
import type { FileRow } from '../../store/table.ts';
import type { Context } from '../context.ts';
import { InvalidInputError } from '../error.ts';
import { stripLocation } from '../file/strip-location.ts';
import { PROCESSOR } from '../rendition/derived-file.ts';
import { DamagedFileError } from '../storage-error.ts';
import type { ExaminedFile } from '../upload/door.ts';
import type { FileType } from '../upload/policy.ts';
import { discardStaged, stageFile } from '../upload/staging.ts';
import { maySeeLocationOf, scopeOf } from '../viewer/access.ts';

/** A file and a staged copy of its bytes. */
export interface CopiedFile {
  row: FileRow;
  copy: ExaminedFile;
}

/** A file, with the owner of its media item. */
export type CopiedRow = FileRow & Pick<FileOfMediaRow, 'owner'>;

/** The most files of a media item that one request copies. */
const FILES_MAX = 200;

/**
 * Returns the files of a media item that a copy of it needs: all but those that the server derives from an original, and
 * will derive from the copy. Throws InvalidInputError if there are too many.
 */
export async function listCopiedFiles(ctx: Context, mediaId: number): Promise<CopiedRow[]> {
  const rows = await listFilesByMediaIds(ctx.db, scopeOf(ctx), [mediaId]);
  const own = rows.filter(({ key, created_role }) => key === '' || created_role !== PROCESSOR);
  if (own.length <= FILES_MAX) return own;
  const message = `The media item has more than ${FILES_MAX} files.`;
  throw InvalidInputError.of('id', 'TOO_MANY_FILES', message);
}

/**
 * Stages a copy of the bytes of each file. Leaves nothing behind if it fails. Throws BlobNotFoundError for a file that
 * was replaced or deleted meanwhile, or is lost, DamagedFileError, and the errors of `stageFile`.
 */
export async function stageCopies(
  ctx: Context,
  rows: readonly CopiedRow[],
  type: FileType,
): Promise<CopiedFile[]> {
  const copied: CopiedFile[] = [];
  try {
    for (const row of rows) copied.push({ row, copy: await stageCopy(ctx, row, type) });
  } catch (error) {
    await discardStaged(
      ctx,
      copied.map(({ copy }) => copy),
    );
    throw error;
  }
  return copied;
}

async function stageCopy(ctx: Context, row: CopiedRow, type: FileType): Promise<ExaminedFile> {
  if (row.damaged_at !== null) throw new DamagedFileError();
  const { filename, size_bytes: bytes, width, height } = row;
  const declared = { filename, declaredType: null };
  const staged = await stageFile(ctx, bytesOf(ctx, row), declared, {
    // More bytes than the row says are damage, not a file that is too large.
    limit: { bytes, setting: 'TRIVIUM_FILE_BYTES_MAX' },
  });
  if (staged.md5 !== row.md5) {
    await discardStaged(ctx, [staged]);
    throw new DamagedFileError();
  }
  const size = width === null || height === null ? null : { width, height };
  const known = { key: row.key, filename, type, mimeType: row.mime_type, size };
  return ownCopy(ctx, row, { ...staged, ...known, isUnnamed: false });
}

/** Returns the copy without its location if the viewer may not see that: the copy is the viewer's own. */
async function ownCopy(
  ctx: Context,
  { owner }: CopiedRow,
  copy: ExaminedFile,
): Promise<ExaminedFile> {
  if (mayCopyLocation(ctx, owner)) return copy;
  const stripped = await stripLocation(ctx, copy);
  if (stripped.blobKey !== copy.blobKey) await discardStaged(ctx, [copy]);
  return stripped;
}

/** Tells whether a copy may have the location of its original. */
export function mayCopyLocation(ctx: Context, owner: string | null): boolean {
  return ctx.settings.stripLocation === 'never' || maySeeLocationOf(ctx, owner);
}

async function* bytesOf({ blobs }: Context, row: FileRow): AsyncGenerator<Uint8Array> {
  try {
    const bytes = await blobs.readSized(row.blob_key, row.size_bytes);
    if (Buffer.isBuffer(bytes)) yield Buffer.from(bytes);
    else yield* bytes;
  } catch (cause) {
    if (cause instanceof BlobSizeError) throw new DamagedFileError({ cause });
    throw cause;
  }
}

/** Tells whether an error means that a file had no bytes. */
export function isGone(error: unknown): boolean {
  return error instanceof BlobNotFoundError;
}
