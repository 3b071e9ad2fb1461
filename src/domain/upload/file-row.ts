import { fileExtension, urlFilename } from '../../lib/filename.ts';
import { cleanName } from '../../lib/name.ts';
import { insertFile } from '../../store/file/file.ts';
import type { FileRow, NewFileRow, NewNodeRow } from '../../store/table.ts';
import type { Context } from '../context.ts';
import { newDetailsColumns } from '../file/details.ts';
import { enqueueFileJobs } from '../rendition/derived-file.ts';
import type { Place } from '../tree/place.ts';
import type { ExaminedFile } from './door.ts';

/** Returns the columns of a file's row that follow from its bytes and its name. */
export function fileColumns({ filename, mimeType, size, ...file }: ExaminedFile) {
  return {
    filename,
    extension: fileExtension(filename),
    mime_type: mimeType,
    size_bytes: file.sizeBytes,
    md5: file.md5,
    sha256: file.sha256,
    width: size?.width ?? null,
    height: size?.height ?? null,
    url_name: urlFilename(filename),
    blob_key: file.blobKey,
  };
}

/**
 * Inserts the row of a file and starts its background jobs. Returns the row. A second file of the same media item and
 * key is a unique violation.
 */
export async function insertFileRow(
  ctx: Context,
  file: ExaminedFile,
  columns: Pick<NewFileRow, 'media_id' | 'dir'> & Partial<NewFileRow>,
): Promise<FileRow> {
  const row = await insertFile(ctx.db, { ...newFileRow(ctx, file), ...columns });
  await enqueueFileJobs(ctx, row);
  return row;
}

/** Returns the columns of a new file's row. */
export function newFileRow(ctx: Context, file: ExaminedFile) {
  const now = ctx.clock();
  return {
    ...fileColumns(file),
    key: file.key,
    uuid: ctx.newId(),
    created_by: ctx.viewer.id,
    client_hash: ctx.client?.hash ?? null,
    created_role: ctx.viewer.kind === 'anonymous' ? null : ctx.viewer.role,
    created_at: now,
    updated_at: now,
  };
}

/**
 * Returns the row of a media item whose original, or first file, is given. Without a name and a title it is named after
 * the file; without a title, the name is the title.
 */
export function newMediaRow(
  ctx: Context,
  { filename, isUnnamed, type, key, mimeType, sizeBytes }: ExaminedFile,
  { name, title = null, ...columns }: Place & Pick<NewNodeRow, 'is_public'> & Partial<NewNodeRow>,
): NewNodeRow {
  const now = ctx.clock();
  return {
    ...columns,
    uuid: ctx.newId(),
    type,
    name: name ?? (cleanName(title ?? '') || filename),
    title: title ?? name ?? (isUnnamed ? null : filename),
    ...(key === '' && { ...newDetailsColumns(mimeType), size_bytes: sizeBytes }),
    owner: ctx.viewer.id,
    client_hash: ctx.client?.hash ?? null,
    created_at: now,
    updated_at: now,
  };
}
