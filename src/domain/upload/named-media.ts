import { insertNode } from '../../store/tree/node.ts';
import type { Context } from '../context.ts';
import { InvalidInputError, NotFoundError } from '../error.ts';
import { checkTags, tagNewMedia } from '../tag/tag.ts';
import { findMedia, type Media } from '../tree/media.ts';
import { folderToFill, placeIn, UNFILED } from '../tree/place.ts';
import { visibilityOfNew } from '../tree/visibility.ts';
import { authorize } from '../viewer/access.ts';
import { type ExaminedFile, type Into, isNamed } from './door.ts';
import { newMediaRow } from './file-row.ts';
import { intoNewMedia, type NewMedia, type NewMediaFields, toNewMedia } from './new-media.ts';
import type { FileType } from './policy.ts';
import { findResource, intoResource } from './resource-files.ts';

/*
 * A client may name the group of files that an upload belongs to, as in the Importer's dialect, and the file within it.
 * The media item of a group that exists gets one more file; its other properties are changed by `updateMedia` only.
 */

type NamedFields = NewMediaFields & { resource: string };

/** Options of `intoMedia`. */
export interface IntoOptions {
  /** Types that the dialect supports. (Default: all that hold a file) */
  allowedTypes?: readonly FileType[] | undefined;
  /** Columns of a media item without a `resource` of the client's. */
  columns?: NewMedia['columns'];
  /** Runs in the same transaction. */
  alsoWrite?: (ctx: Context, mediaId: number) => Promise<void>;
}

/**
 * Checks the `resource` and the `key` of an upload before its bytes arrive. Throws InvalidInputError for a key without a
 * resource, and for other properties if the media item exists; the errors of `findResource`; NotAuthenticatedError and
 * ForbiddenError for a viewer who may not name resources.
 */
export async function checkNamed(ctx: Context, fields: NewMediaFields): Promise<void> {
  if (isOfNamed(fields)) {
    authorize(ctx, 'resource.create');
    if ((await findResource(ctx, fields.resource, [keyOf(fields)])) !== null) refuseMore(fields);
  } else if (fields.key) {
    throw InvalidInputError.of('resource', 'REQUIRED', 'It is required for a file with a key.');
  }
}

/**
 * Creates a destination: one file of a media item, which is a new one unless the request names the `resource` of one that
 * exists. Throws the errors of `intoNewMedia`, of `checkNamed` and of `intoResource`.
 */
export function intoMedia(
  fields: NewMediaFields,
  { allowedTypes, columns, alsoWrite }: IntoOptions = {},
): Into<Media> {
  const request = toNewMedia(fields, allowedTypes);
  if (isOfNamed(fields)) return intoNamed(fields, request, alsoWrite);
  return async (ctx, staged) => {
    await checkNamed(ctx, fields);
    const all = { ...request, columns: { ...request.columns, ...columns } };
    return intoNewMedia(all, alsoWrite)(ctx, staged);
  };
}

function intoNamed(
  fields: NamedFields,
  request: NewMedia,
  alsoWrite: IntoOptions['alsoWrite'],
): Into<Media> {
  const { resource } = fields;
  const target = {
    resource,
    projectId: null,
    policy: request,
    insert: (ctx: Context, main: ExaminedFile) => insert(ctx, main, resource, request),
    checkExisting: () => refuseMore(fields),
  };
  return async (ctx, staged) => {
    await checkNamed(ctx, fields);
    if (request.folderId !== null) await folderToFill(ctx, request.folderId);
    await checkTags(ctx, request.tagIds);
    const files = staged.map((file) => ({
      ...file,
      key: keyOf(fields),
      filename: isNamed(file) ? file.filename : '',
    }));
    const into = intoResource(target, files, async (ctx, { media: { id } }) => {
      await alsoWrite?.(ctx, id);
      return found(await findMedia(ctx, { id }), id);
    });
    return into(ctx, staged);
  };
}

function found(media: Media | null, id: number): Media {
  if (media === null) throw new NotFoundError('media', id);
  return media;
}

async function insert(
  ctx: Context,
  main: ExaminedFile,
  resource: string,
  { folderId, tagIds, columns, ...request }: NewMedia,
) {
  const place = folderId === null ? UNFILED : await placeIn(ctx, folderId);
  const is_public = await visibilityOfNew(ctx, request, place.path);
  const row = newMediaRow(ctx, main, { ...place, ...columns, resource, is_public });
  const media = await insertNode(ctx.db, row);
  if (tagIds.length > 0) await tagNewMedia(ctx, media.id, tagIds);
  return media;
}

function isOfNamed(fields: NewMediaFields): fields is NamedFields {
  return typeof fields.resource === 'string';
}

function keyOf({ key }: NewMediaFields): string {
  return key ?? '';
}

/** Throws if a request for a file of an existing media item has more properties than the file. */
function refuseMore({ resource, key: _, ...others }: NewMediaFields): void {
  const issues = Object.entries(others)
    .filter(([, value]) => !isEmpty(value))
    .map(([field]) => ({
      path: [field],
      code: 'CONFLICT',
      message: `The resource "${resource}" exists: an upload can only add a file to it.`,
    }));
  if (issues.length > 0) throw new InvalidInputError(issues);
}

function isEmpty(value: unknown): boolean {
  return value === null || value === undefined || (Array.isArray(value) && value.length === 0);
}
