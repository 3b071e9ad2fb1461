import { z } from 'zod';
import type { Context } from '../context.ts';
import { displayName, parseInput } from '../input.ts';
import { type Media, mediaColumns, mediaInput } from '../tree/media.ts';
import { authorize } from '../viewer/access.ts';
import { take } from './door.ts';
import { intoNewMedia } from './new-media.ts';
import type { NewOriginal } from './original.ts';

const filedInput = mediaInput.pick({ focalPoint: true, crops: true }).extend({
  name: displayName(255),
  folderId: z.int(),
  sortOrder: z.int32().nullish(),
  mediaTypeAlias: displayName(100),
});

/**
 * Creates a media item from a staged file, at its place in a folder. Throws UnsupportedMediaError, TooLargeError,
 * InvalidInputError, NotFoundError for the folder; the staged bytes are deleted then.
 */
export function createFiledMedia(
  ctx: Context,
  input: z.input<typeof filedInput>,
  { staged, policy }: NewOriginal,
): Promise<Media> {
  return take(ctx, [staged], (ctx, staged) => {
    authorize(ctx, 'media.create');
    const { name, folderId, mediaTypeAlias, ...fields } = parseInput(filedInput, input);
    const columns = {
      ...mediaColumns({ ...fields, title: name }),
      media_type_alias: mediaTypeAlias,
    };
    const request = { ...policy, folderId, tagIds: [], visibility: null, columns };
    return intoNewMedia(request)(ctx, staged);
  });
}
