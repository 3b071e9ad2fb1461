import { z } from 'zod';
import { lockTags } from '../../store/tag/tag.ts';
import type { Context } from '../context.ts';
import { InvalidInputError } from '../error.ts';
import { idList, parseInput } from '../input.ts';
import type { JobArguments } from '../job/class.ts';
import { checkTags } from '../tag/tag.ts';
import { authorize } from '../viewer/access.ts';
import { type StartedWhere, startWhere, type WhereInput } from './selection.ts';
import { tagMedia } from './tagging.ts';
import { type WhereRun, walkSelected } from './walk.ts';

const tagInput = z.object({ addTagIds: idList.nullish(), removeTagIds: idList.nullish() });

/**
 * Starts a job that adds tags to all media that match a filter and removes others, as `tagMedia` does; see `startWhere`.
 * Throws NotAuthenticatedError, ForbiddenError, NotFoundError for a tag to add, and InvalidInputError, also without tags.
 */
export async function tagWhere(
  ctx: Context,
  { filter, dryRun, ...tags }: WhereInput & z.input<typeof tagInput>,
): Promise<StartedWhere> {
  authorize(ctx, 'media.update');
  const { addTagIds, removeTagIds } = parseInput(tagInput, tags);
  const [add_tag_ids, remove_tag_ids] = [addTagIds ?? [], removeTagIds ?? []];
  if (add_tag_ids.length + remove_tag_ids.length === 0) {
    throw InvalidInputError.of('addTagIds', 'REQUIRED', 'Give a tag to add or to remove.');
  }
  await checkTags(ctx, add_tag_ids);
  return startWhere(ctx, 'tag-where', { filter, dryRun }, { add_tag_ids, remove_tag_ids });
}

/** Does the work of such a job. Returns the number of changed media. */
export function tagSelected(
  ctx: Context,
  { add_tag_ids, remove_tag_ids, ...selection }: JobArguments<'tag-where'>,
  run: WhereRun,
): Promise<number> {
  return walkSelected(ctx, selection, run, {
    operation: 'media.update',
    // As all other operations, tags before media.
    lock: ({ db }) => lockTags(db, [...add_tag_ids, ...remove_tag_ids]),
    change: (ctx, ids) =>
      tagMedia(ctx, {
        mediaIds: [...ids],
        addTagIds: add_tag_ids,
        removeTagIds: remove_tag_ids,
      }),
  });
}
