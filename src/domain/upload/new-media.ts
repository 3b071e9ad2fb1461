import { z } from 'zod';
import type { NewNodeRow } from '../../store/table.ts';
import { insertNewMedia } from '../../store/upload/new-media.ts';
import { attributes } from '../attribute.ts';
import type { Context } from '../context.ts';
import { mediaEvent } from '../event/event.ts';
import { idList } from '../input.ts';
import { newFileJobs } from '../rendition/derived-file.ts';
import { checkTags, tagNewMedia } from '../tag/tag.ts';
import { newDir } from '../tree/address.ts';
import {
  MEDIA_TYPES,
  type Media,
  type MediaColumns,
  mediaColumns,
  mediaInput,
  toMedia,
} from '../tree/media.ts';
import { folderToFill, placeIn, UNFILED } from '../tree/place.ts';
import { type Visibility, visibilityOfNew } from '../tree/visibility.ts';
import { newRowEntry } from '../viewer/audit.ts';
import { type ExaminedFile, type Into, onlyFile } from './door.ts';
import { newFileRow, newMediaRow } from './file-row.ts';
import type { FileType, Policy } from './policy.ts';

/** The properties of a new media item, as requested. */
export interface NewMedia extends Policy {
  /** Null: unfiled. */
  folderId: number | null;
  tagIds: readonly number[];
  /** Null: that of the folder, or the default of the server. */
  visibility: Visibility | null;
  /** Other columns of its row. Without a `title`, or with an empty one, the name of the file is the title. */
  columns: MediaColumns & Partial<Pick<NewNodeRow, 'media_type_alias' | 'resource'>>;
}

const { name, sortOrder, visibility } = mediaInput.shape;

/** Input of every operation that creates a media item from a file. */
export const newMediaInput = mediaInput.omit({ imageUrl: true, isPublic: true }).extend({
  // Null is the default where a stored value is never null.
  name: name.nullable(),
  sortOrder: sortOrder.nullable(),
  visibility: visibility.nullable(),
  type: z.enum(MEDIA_TYPES).nullish(),
  folderId: z.int().nullish(),
  tagIds: idList.nullish(),
  resource: attributes.resource.nullish(),
  key: attributes.key.nullish(),
});

/** The properties of a new media item, as a request gives them. */
export type NewMediaFields = z.output<typeof newMediaInput>;

/** Fills in null, or an empty list, for every field that is absent. */
export function toNewMedia(
  { type, folderId, tagIds, visibility, ...fields }: Omit<NewMediaFields, 'resource' | 'key'>,
  allowedTypes?: readonly FileType[],
): NewMedia {
  return {
    type: type ?? null,
    folderId: folderId ?? null,
    tagIds: tagIds ?? [],
    visibility: visibility ?? null,
    columns: mediaColumns(fields),
    ...(allowedTypes && { allowedTypes }),
  };
}

/**
 * Creates a destination: a new media item with one file. `alsoWrite` runs in the same transaction. Throws NotFoundError
 * for the folder and the tags, and the errors of `folderToFill`.
 */
export function intoNewMedia(
  request: NewMedia,
  alsoWrite?: (ctx: Context, mediaId: number) => Promise<void>,
): Into<Media> {
  return async (ctx, staged) => {
    if (request.folderId !== null) await folderToFill(ctx, request.folderId);
    await checkTags(ctx, request.tagIds);
    // Before the transaction, in which each statement keeps other writers waiting.
    const dir = await newDir(ctx);
    return {
      policy: request,
      files: staged,
      write: async (ctx, files) => {
        const media = await insert(ctx, onlyFile(files), dir, request);
        await alsoWrite?.(ctx, media.id);
        return media;
      },
    };
  };
}

async function insert(
  ctx: Context,
  file: ExaminedFile,
  dir: string,
  request: NewMedia,
): Promise<Media> {
  const place = request.folderId === null ? UNFILED : await placeIn(ctx, request.folderId);
  const is_public = await visibilityOfNew(ctx, request, place.path);
  const media = newMediaRow(ctx, file, { ...place, ...request.columns, is_public });
  const fileRow = { ...newFileRow(ctx, file), media_uuid: media.uuid, dir };
  const jobs = newFileJobs(ctx, fileRow);
  const entry = newRowEntry(ctx, {
    action: 'create',
    target: { kind: 'media', id: null, name: media.name },
    details: { type: media.type, filename: file.filename },
  });
  const rows = { media, file: fileRow, jobs, entry };
  const { media: row, jobIds } = await insertNewMedia(ctx.db, rows);
  if (request.tagIds.length > 0) await tagNewMedia(ctx, row.id, request.tagIds);
  for (const id of jobIds) ctx.events.publish({ type: 'job', id });
  ctx.events.publish(mediaEvent('created', row));
  return toMedia(row);
}
