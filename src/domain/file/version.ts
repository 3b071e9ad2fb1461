import { dirname } from 'node:path/posix';
import { type Keyset, keysetBy } from '../../store/cursor.ts';
import * as store from '../../store/file/version.ts';
import type { VersionRow } from '../../store/table.ts';
import { listMediasByIds } from '../../store/tree/media.ts';
import type { Context } from '../context.ts';
import { type Page, type PageArgs, parsePageArgs, toPages } from '../page.ts';
import { existing, isAdmin, isAllowed, isAllowedForOwner, scopeOf } from '../viewer/access.ts';
import { type File, type OpenedFile, openRow } from './file.ts';
import { signPath } from './signed-url.ts';

/** A file that the original of a media item has replaced. Only viewers who may change the media item see it. */
export interface FileVersion {
  id: number;
  uuid: string;
  mediaId: number;
  filename: string;
  /** Detected from the content. */
  mimeType: string;
  sizeBytes: number;
  md5: string;
  /** Null if the file was replaced before it was computed. */
  sha256: string | null;
  width: number | null;
  height: number | null;
  /** When it became the original. */
  createdAt: Date;
  replacedAt: Date;
  /** `Viewer.id` of the viewer who replaced it; null: the server itself. */
  replacedBy: string | null;
}

const NEWEST_FIRST: Keyset = keysetBy('versions, last first', { name: 'id', type: 'number' }, true);

/** Returns those of the versions that exist and that the viewer may see, unordered. */
export async function versionsByIds(ctx: Context, ids: readonly number[]): Promise<FileVersion[]> {
  const rows = await store.listVersionsByIds(ctx.db, scopeOf(ctx), ids);
  const isShown = ({ owner }: store.VersionOfMediaRow) =>
    isAllowedForOwner(ctx, 'media.update', owner);
  return rows.filter(isShown).map(toVersion);
}

/**
 * Returns one page of versions for each media item, newest first, with one statement for all of them. Media that the
 * viewer may not change have no page. The viewer must be allowed to see the media. Throws InvalidInputError for an
 * invalid page.
 */
export async function versionsOfEach(
  ctx: Context,
  mediaIds: readonly number[],
  args: PageArgs,
): Promise<Map<number, Page<FileVersion>>> {
  const request = parsePageArgs(args, NEWEST_FIRST);
  const ids = await changeableAmong(ctx, mediaIds);
  if (ids.length === 0) return new Map();
  const rows = await store.listVersionsOfEach(ctx.db, ids, NEWEST_FIRST, request);
  return toPages(rows, NEWEST_FIRST, request, toVersion);
}

/** Returns the number of versions of each media item that the viewer may change. Media without one are not in the map. */
export async function countVersionsOfEach(
  ctx: Context,
  mediaIds: readonly number[],
): Promise<Map<number, number>> {
  const ids = await changeableAmong(ctx, mediaIds);
  return ids.length === 0 ? new Map() : store.countVersionsOfEach(ctx.db, ids);
}

/** Returns those of the media that the viewer may change. */
async function changeableAmong(
  ctx: Context,
  mediaIds: readonly number[],
): Promise<readonly number[]> {
  if (!isAllowed(ctx, 'media.update')) return [];
  if (isAdmin(ctx)) return mediaIds;
  const medias = await listMediasByIds(ctx.db, scopeOf(ctx), mediaIds, ['id', 'owner']);
  return medias.flatMap(({ id, owner = null }) =>
    id !== undefined && isAllowedForOwner(ctx, 'media.update', owner) ? id : [],
  );
}

/**
 * Returns the path of a version's bytes, with a signature: no other credential opens it. It stops working when the
 * version is restored or deleted, and when the media item becomes private. The caller may see the version. Throws
 * InvalidInputError.
 */
export function signVersion(
  ctx: Context,
  { uuid }: FileVersion,
  original: Pick<File, 'urlPath'>,
  input: Parameters<typeof signPath>[2],
  query: Readonly<Record<string, string>>,
): string {
  return signPath(ctx, `${dirname(original.urlPath)}/version/${uuid}`, input, query);
}

/**
 * Returns the version at `/media/{dir}/version/{uuid}`, ready to be sent, or null. The caller has checked the signature
 * of the URL. No cache may keep it.
 */
export async function openVersion(
  ctx: Context,
  at: { dir: string; uuid: string },
): Promise<OpenedFile | null> {
  const row = await store.findVersionByUrl(ctx.db, existing(ctx), at);
  if (row === undefined) return null;
  const opened = await openRow(ctx, { ...row, updated_at: row.created_at });
  return { ...opened, file: { ...opened.file, isPrivate: true } };
}

function toVersion(row: VersionRow): FileVersion {
  return {
    id: row.id,
    uuid: row.uuid,
    mediaId: row.media_id,
    filename: row.filename,
    mimeType: row.mime_type,
    sizeBytes: row.size_bytes,
    md5: row.md5,
    sha256: row.sha256,
    width: row.width,
    height: row.height,
    createdAt: new Date(row.created_at),
    replacedAt: new Date(row.replaced_at),
    replacedBy: row.replaced_by,
  };
}
