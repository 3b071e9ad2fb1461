import { insertAddress } from '../../store/file/address.ts';
import { markDamaged } from '../../store/file/damage.ts';
import { listFilesByMediaIds, updateFile } from '../../store/file/file.ts';
import { insertVersion } from '../../store/file/version.ts';
import type { FileRow, NodeRow } from '../../store/table.ts';
import { updateNode } from '../../store/tree/node.ts';
import type { Context } from '../context.ts';
import { InvalidInputError } from '../error.ts';
import { mediaUpdate } from '../event/event.ts';
import { newDetailsColumns } from '../file/details.ts';
import { freeUrlName } from '../file/url-name.ts';
import { dropDerivedFiles, enqueueFileJobs, NOT_DERIVED } from '../rendition/derived-file.ts';
import { nodeTarget } from '../tree/node.ts';
import { existing } from '../viewer/access.ts';
import { type AuditAction, recordAudit } from '../viewer/audit.ts';

/** The columns of an original that follow from its bytes and its name, and the type that its media item has with it. */
type CurrentFile = Pick<
  FileRow,
  | 'filename'
  | 'extension'
  | 'mime_type'
  | 'size_bytes'
  | 'md5'
  | 'sha256'
  | 'width'
  | 'height'
  | 'blob_key'
> &
  Pick<NodeRow, 'type'> & { damaged_at?: number | null };

/**
 * Puts another file in place of the original of a media item. The row of the original keeps its ids and the `dir` of its
 * URL. What it was before becomes the latest version, and its old URL leads to the new one. Everything derived from the
 * old image is deleted; jobs derive it from the new one. Call it inside `transact`, with the node locked: otherwise two
 * callers could find the same original. `action` is the name of the change in the audit log. Throws InvalidInputError for
 * a media item without a file.
 */
export async function setCurrentFile(
  ctx: Context,
  media: NodeRow,
  { type, damaged_at = null, ...columns }: CurrentFile,
  action: AuditAction,
): Promise<void> {
  await dropDerivedFiles(ctx, media.id);
  const files = await listFilesByMediaIds(ctx.db, existing(ctx), [media.id]);
  const original = files.find(({ key }) => key === '');
  if (original === undefined) {
    throw InvalidInputError.of('file', 'NO_FILE', 'The media item has no file to replace.');
  }
  // The original may take a name back that it has had.
  const taken = files.filter((file) => file !== original).map(({ url_name }) => url_name);
  const url_name = freeUrlName(columns.filename, taken);
  const updated_at = ctx.clock();
  const details = { from: original.filename, to: columns.filename };
  await recordAudit(ctx, { action, target: nodeTarget(media), details });
  await insertVersion(ctx.db, toVersion(ctx, media, original, updated_at));
  await updateFile(ctx.db, original.id, { ...columns, ...NOT_DERIVED, url_name, updated_at });
  if (damaged_at !== null) {
    const bytes = { kind: 'file', id: original.id, blobKey: columns.blob_key } as const;
    await markDamaged(ctx.db, bytes, damaged_at);
  }
  // It stays when the original takes the name back: a reader in between must find one or the other.
  if (url_name !== original.url_name) await insertAddress(ctx.db, original);
  await updateNode(ctx.db, existing(ctx), media.id, {
    type,
    ...newDetailsColumns(columns.mime_type),
  });
  await enqueueFileJobs(ctx, { ...original, ...columns });
  ctx.events.publish(mediaUpdate(media, 'file'));
}

function toVersion(ctx: Context, { id, type }: NodeRow, original: FileRow, replaced_at: number) {
  const { filename, mime_type, size_bytes, md5, sha256, width, height, blob_key, damaged_at } =
    original;
  return {
    ...{ filename, mime_type, size_bytes, md5, sha256, width, height, blob_key, damaged_at },
    uuid: ctx.newId(),
    media_id: id,
    type,
    created_by: original.created_by,
    client_hash: original.client_hash,
    created_at: original.updated_at,
    replaced_by: ctx.viewer.id,
    replaced_at,
  };
}
