import type { FieldType, Part } from '../../lib/search.ts';
import * as fileStore from '../../store/file/file.ts';
import * as store from '../../store/file/search.ts';
import type { FileRow, NodeRow } from '../../store/table.ts';
import { findMediaByResource } from '../../store/tree/media.ts';
import type { Context } from '../context.ts';
import { NotFoundError } from '../error.ts';
import { type CountedSearch, inStoredSpelling, searchPart } from '../search.ts';
import { authorize, existing, isVisible, scopeOf } from '../viewer/access.ts';
import { type File, type OpenedFile, openRow, toFile } from './file.ts';

/** A file of a resource. The Importer's resource is our media item, and its media are our files. */
export interface ResourceFile extends File {
  /** `Viewer.id` of the creator; null: anonymous, or the server itself. */
  createdBy: string | null;
  /** The creator's role; `processor`: the server itself. */
  createdRole: string | null;
  /** Whether anyone may read it, even without a credential. */
  isPublic: boolean;
  /** An id of another system, as given. */
  projectId: string | null;
}

/** The fields that files can be searched and ordered by. */
export const FILE_FIELDS: Readonly<Record<store.FileField, FieldType>> = store.FILE_COLUMNS;
export type FileField = store.FileField;

/**
 * Returns a part of the files that match all conditions and that the viewer may see, and their count if `isCounted`.
 * Throws InvalidInputError.
 */
export async function searchFiles(
  ctx: Context,
  search: CountedSearch<FileField>,
): Promise<Part<ResourceFile>> {
  authorize(ctx, 'resource.read');
  const scope = scopeOf(ctx);
  const conditions = inStoredSpelling(search.conditions, CLIENT_NAMED);
  return searchPart(
    { ...search, conditions },
    {
      find: (part) => store.searchFiles(ctx.db, scope, part),
      count: (conditions) => store.countMatchingFiles(ctx.db, scope, conditions),
      convert: (row) => toResourceFile(row, row),
    },
  );
}

/** The fields that clients name. */
const CLIENT_NAMED: readonly FileField[] = ['resource', 'key', 'filename', 'project_id'];

/** Identifies a file. The key of the original is empty. */
export interface ResourceKey {
  resource: string;
  key: string;
}

/**
 * Returns a file of a resource. Without a credential, finds public files only: throws NotAuthenticatedError for any
 * other file, whether or not it exists. Throws NotFoundError.
 */
export async function findResourceFile(ctx: Context, at: ResourceKey): Promise<ResourceFile> {
  const { file, media } = await findRow(ctx, at);
  return toResourceFile(file, media);
}

/** Returns the file as `findResourceFile` does, ready to be sent. */
export async function openResourceFile(ctx: Context, at: ResourceKey): Promise<OpenedFile> {
  const { file } = await findRow(ctx, at);
  return openRow(ctx, file);
}

async function findRow(ctx: Context, { resource, key }: ResourceKey) {
  const media = await findMediaByResource(ctx.db, existing(ctx), resource);
  if (media?.is_public !== 1) authorize(ctx, 'resource.read');
  const isThere = media !== undefined && (media.is_public === 1 || isVisible(ctx, media));
  const file = isThere
    ? await fileStore.findFileByKey(ctx.db, existing(ctx), media.id, key)
    : undefined;
  if (isThere && file !== undefined) return { media, file };
  authorize(ctx, 'resource.read');
  throw new NotFoundError('media', key === '' ? resource : `${resource}/${key}`);
}

/** Converts the row of a file, with the row of its media item. */
export function toResourceFile(
  row: FileRow & { resource: string },
  { is_public }: Pick<NodeRow, 'is_public'>,
): ResourceFile {
  return {
    ...toFile(row),
    createdBy: row.created_by,
    createdRole: row.created_role,
    isPublic: is_public === 1,
    projectId: row.project_id,
  };
}
