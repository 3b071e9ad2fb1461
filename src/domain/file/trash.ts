import { nameSortKey } from '../../lib/sort-key.ts';
import { toVisibility } from '../../store/scope.ts';
import type { FileRow, TrashedNodeRow, TrashedRow } from '../../store/table.ts';
import { countTrashedTops, listTrashedTops, TRASH_ORDER } from '../../store/trash/list.ts';
import { listTrashedRows } from '../../store/trash/row.ts';
import type { Context } from '../context.ts';
import { type Page, type PageArgs, parsePageArgs, toPage } from '../page.ts';
import { type Tag, tagsByIds } from '../tag/tag.ts';
import { trashSightOf } from '../trash/sight.ts';
import { parseTrashed } from '../tree/discard.ts';
import { type TreeNode, toNode } from '../tree/node-list.ts';
import type { Visibility } from '../tree/visibility.ts';
import { authorize } from '../viewer/access.ts';
import { type File, toFile } from './file.ts';

/** A node in the trash, with what it gets back when it is restored. */
export type TrashedNode = TreeNode & {
  trashed: {
    /** The original first. */
    files: File[];
    /** By name. */
    tags: Tag[];
    /** Of a folder: the visibility that is set for it. Null: it inherits one. */
    visibility: Visibility | null;
  };
};

/**
 * Returns a page of the nodes in the trash that the viewer may see, last deleted first. A folder stands for everything
 * that was deleted with it; somebody else's folder does not, so that each owner sees its own nodes. Throws
 * NotAuthenticatedError, and InvalidInputError for the page.
 */
export async function listTrash(ctx: Context, args: PageArgs): Promise<Page<TrashedNode>> {
  authorize(ctx, 'trash.read');
  const request = parsePageArgs(args, TRASH_ORDER);
  const page = await listTrashedTops(ctx.db, trashSightOf(ctx), request);
  const ids = page.rows.map(({ id }) => id);
  const rows = Map.groupBy(await listTrashedRows(ctx.db, ids), ({ node_id }) => node_id);
  const tags = await tagsOf(ctx, [...rows.values()].flat());
  return toPage(page, TRASH_ORDER, request, (row) =>
    toTrashedNode(row, rows.get(row.id) ?? [], tags),
  );
}

/** Returns the number of nodes that `listTrash` lists. */
export async function countTrash(ctx: Context): Promise<number> {
  authorize(ctx, 'trash.read');
  return countTrashedTops(ctx.db, trashSightOf(ctx));
}

function toTrashedNode(
  trashed: TrashedNodeRow,
  rows: readonly TrashedRow[],
  tags: readonly Tag[],
): TrashedNode {
  const tagIds = new Set(rowsOf<TagLink>(rows, 'media_tag').map(({ tag_id }) => tag_id));
  const files = rowsOf<FileRow & { resource: string }>(rows, 'file').map(toFile);
  files.sort((a, b) => (a.key < b.key ? -1 : 1));
  const own = tags.filter(({ id }) => tagIds.has(id));
  const row = parseTrashed(trashed);
  const { items_visibility: value } = row;
  const visibility = value === null ? null : toVisibility(value);
  return { ...toNode(row), trashed: { files, tags: own, visibility } };
}

interface TagLink {
  tag_id: number;
}

async function tagsOf(ctx: Context, rows: readonly TrashedRow[]): Promise<Tag[]> {
  const ids = rowsOf<TagLink>(rows, 'media_tag').map(({ tag_id }) => tag_id);
  const tags = ids.length === 0 ? [] : await tagsByIds(ctx, [...new Set(ids)]);
  return tags.sort((a, b) => (nameSortKey(a.name) < nameSortKey(b.name) ? -1 : 1));
}

function rowsOf<Row>(rows: readonly TrashedRow[], source: string): Row[] {
  return rows.flatMap((row) => (row.source === source ? (JSON.parse(row.row) as Row) : []));
}
