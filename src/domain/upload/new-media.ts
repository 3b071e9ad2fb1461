import { z } from 'zod';
import type { NewMediaRow } from '../../store/table.ts';
import type { Context } from '../context.ts';
import { mediaEvent } from '../event/event.ts';
import { freeText, idList } from '../input.ts';
import { checkTags, tagNewMedia } from '../tag/tag.ts';
import { folderToFill, placeIn, UNFILED } from '../tree/folder.ts';
import { MEDIA_TYPES, type Media, toMedia } from '../tree/media.ts';
import { type ExaminedFile, type Into, onlyFile } from './door.ts';
import { insertFileRow, insertMediaRow, newDir } from './file-row.ts';
import type { FileType, Policy } from './policy.ts';

/** A new media item, as a request asks for it. */
export interface NewMedia extends Policy {
  /** Null: unfiled. */
  folderId: number | null;
  tagIds: readonly number[];
  /** Null or empty: the name of the file. */
  title: string | null;
  description: string | null;
  /** Other columns of its row. */
  columns?: Partial<NewMediaRow>;
}

/** Input of every operation that creates a media item from a file. */
export const newMediaInput = z.object({
  type: z.enum(MEDIA_TYPES).nullish(),
  folderId: z.int().nullish(),
  title: freeText(255).nullish(),
  description: freeText(10_000).nullish(),
  tagIds: idList.nullish(),
});

/** Fills in null, or an empty list, for every field that is absent. */
export function toNewMedia(
  input: z.output<typeof newMediaInput>,
  allowedTypes?: readonly FileType[],
): NewMedia {
  return {
    type: input.type ?? null,
    folderId: input.folderId ?? null,
    title: input.title ?? null,
    description: input.description ?? null,
    tagIds: input.tagIds ?? [],
    ...(allowedTypes && { allowedTypes }),
  };
}

/**
 * Destination: a new media item with one file. `alsoWrite` runs in the same transaction. Throws NotFoundError for the folder
 * and the tags, and the errors of `folderToFill`.
 */
export function intoNewMedia(
  request: NewMedia,
  alsoWrite?: (ctx: Context, mediaId: number) => Promise<void>,
): Into<Media> {
  return async (ctx, staged) => {
    if (request.folderId !== null) await folderToFill(ctx, request.folderId);
    await checkTags(ctx, request.tagIds);
    return {
      policy: request,
      files: staged,
      write: async (ctx, files) => {
        const media = await insert(ctx, onlyFile(files), request);
        await alsoWrite?.(ctx, media.id);
        return media;
      },
    };
  };
}

async function insert(ctx: Context, file: ExaminedFile, request: NewMedia): Promise<Media> {
  const { title, description, columns } = request;
  const place = request.folderId === null ? UNFILED : await placeIn(ctx, request.folderId);
  const row = await insertMediaRow(ctx, file, { ...place, title, description, ...columns });
  await insertFileRow(ctx, file, { media_id: row.id, dir: await newDir(ctx) });
  await tagNewMedia(ctx, row.id, request.tagIds);
  ctx.events.publish(mediaEvent('created', row));
  return toMedia(row);
}
