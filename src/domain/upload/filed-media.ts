import { z } from 'zod';
import type { Context } from '../context.ts';
import { displayName, parseInput } from '../input.ts';
import { type Media, mediaColumns, mediaInput } from '../tree/media.ts';
import { authorize } from '../viewer/access.ts';
import { ingest } from './ingest.ts';
import type { Replacement } from './replacement.ts';
import { discardRefused } from './staging.ts';

const filedInput = mediaInput.pick({ focalPoint: true, crops: true }).extend({
  name: displayName(255),
  folderId: z.int(),
  sortOrder: z.int32().nullish(),
  mediaTypeAlias: displayName(100),
});

/**
 * Makes a media of a staged file, at its place in the tree. Throws UnsupportedMediaError, TooLargeError,
 * InvalidInputError, NotFoundError for the folder: the staged bytes are gone then.
 */
export async function createFiledMedia(
  ctx: Context,
  input: z.input<typeof filedInput>,
  { staged, policy }: Replacement,
): Promise<Media> {
  return discardRefused(ctx, staged, () => {
    authorize(ctx, 'media.create');
    const { name, folderId, mediaTypeAlias, ...fields } = parseInput(filedInput, input);
    const columns = { ...mediaColumns(fields), media_type_alias: mediaTypeAlias };
    const request = { ...policy, folderId, title: name, description: null, tagIds: [], columns };
    return ingest(ctx, staged, request);
  });
}
