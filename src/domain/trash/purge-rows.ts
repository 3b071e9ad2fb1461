import { deleteVersionsAndAddresses } from '../../store/file/version.ts';
import type { TrashedNodeRow } from '../../store/table.ts';
import { deleteTrashed, listTrashedRows } from '../../store/trash/row.ts';
import type { Context } from '../context.ts';
import { enqueueBlobDeletion } from '../job/enqueue.ts';

/** Deletes nodes in the trash for ever, and enqueues the deletion of their bytes. */
export async function purgeRows(ctx: Context, rows: readonly TrashedNodeRow[]): Promise<void> {
  if (rows.length === 0) return;
  const ids = rows.map(({ id }) => id);
  const hanging = await listTrashedRows(ctx.db, ids);
  await deleteTrashed(ctx.db, ids);
  const ofVersions = await deleteVersionsAndAddresses(ctx.db, ids);
  const ofFiles = hanging.flatMap(({ blob_key }) => blob_key ?? []);
  await enqueueBlobDeletion(ctx, [...ofFiles, ...ofVersions]);
}
