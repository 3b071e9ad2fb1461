import type { FieldType, Part, Search } from '../../lib/search.ts';
import * as fileStore from '../../store/file/file.ts';
import * as store from '../../store/file/search.ts';
import type { MediaRow } from '../../store/table.ts';
import { findMediaByResource } from '../../store/tree/media.ts';
import type { Context } from '../context.ts';
import { NotFoundError } from '../error.ts';
import { authorize, isVisible, sightOf } from '../viewer/access.ts';
import { type File, type OpenedFile, openRow, toFile } from './file.ts';

/** A file of a resource: what the Importer calls a media. A resource is a media of ours with all its files. */
export interface ResourceFile extends File {
  /** `Viewer.id`; null: anonymous, or the server itself. */
  createdBy: string | null;
  /** Role that it had; `processor`: the server itself. */
  createdRole: string | null;
  /** Whether everybody may read it. */
  isPublic: boolean;
  /** Of another system, as given. */
  projectId: string | null;
}

/** The fields that files can be searched and ordered by. */
export const FILE_FIELDS: Readonly<Record<store.FileField, FieldType>> = store.FILE_COLUMNS;
export type FileField = store.FileField;

/** Returns a part of the files that match all conditions and that the viewer may see, and their count if `isCounted`. */
export async function searchFiles(
  ctx: Context,
  { isCounted, ...search }: Search<FileField> & { isCounted: boolean },
): Promise<Part<ResourceFile>> {
  authorize(ctx, 'resource.read');
  const scope = sightOf(ctx);
  const { rows, hasMore } = await store.searchFiles(ctx.db, scope, search);
  const count = isCounted ? await store.countMatchingFiles(ctx.db, scope, search.conditions) : null;
  return { nodes: rows.map((row) => toResourceFile(row, row)), hasMore, count };
}

/** Which file: the key of the original is empty. */
export interface ResourceKey {
  resource: string;
  key: string;
}

/**
 * A file of a resource. Without a credential only what is public is found, and everything else asks for one,
 * whether it is there or not. Throws NotAuthenticatedError, NotFoundError.
 */
export async function findResourceFile(ctx: Context, at: ResourceKey): Promise<ResourceFile> {
  const { file, media } = await findRow(ctx, at);
  return toResourceFile(file, media);
}

/** The same, with its bytes. */
export async function openResourceFile(ctx: Context, at: ResourceKey): Promise<OpenedFile> {
  const { file } = await findRow(ctx, at);
  return openRow(ctx, file);
}

async function findRow(ctx: Context, { resource, key }: ResourceKey) {
  const media = await findMediaByResource(ctx.db, resource);
  if (media?.is_public !== 1) authorize(ctx, 'resource.read');
  const isThere = media !== undefined && (media.is_public === 1 || isVisible(ctx, media));
  const file = isThere ? await fileStore.findFileByKey(ctx.db, media.id, key) : undefined;
  if (isThere && file !== undefined) return { media, file };
  authorize(ctx, 'resource.read');
  throw new NotFoundError('media', key === '' ? resource : `${resource}/${key}`);
}

/** A row of a file, with what its media says of it. */
export function toResourceFile(
  row: fileStore.FileOfMediaRow,
  { is_public }: Pick<MediaRow, 'is_public'>,
): ResourceFile {
  return {
    ...toFile(row),
    createdBy: row.created_by,
    createdRole: row.created_role,
    isPublic: is_public === 1,
    projectId: row.project_id,
  };
}
