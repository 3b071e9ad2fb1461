import { VISIBILITY } from '../../store/scope.ts';
import { lockTags } from '../../store/tag/tag.ts';
import type { Context } from '../context.ts';
import { InvalidInputError } from '../error.ts';
import { parseInput } from '../input.ts';
import type { JobArguments } from '../job/class.ts';
import { checkTags } from '../tag/tag.ts';
import { changedVisibility } from '../tree/visibility.ts';
import { authorize } from '../viewer/access.ts';
import { bulkInput, updateMedias } from './change.ts';
import { type StartedWhere, startWhere, type WhereInput } from './selection.ts';
import { fromStored, toStored } from './stored-value.ts';
import { type WhereRun, walkSelected } from './walk.ts';

const changeInput = bulkInput.omit({ ids: true });

/**
 * Starts a job that changes the given fields of all media that match a filter, as `updateMedias` does; see `startWhere`.
 * Throws NotAuthenticatedError, ForbiddenError, NotFoundError for a tag, and InvalidInputError, also if there is nothing
 * to change.
 */
export async function updateWhere(
  ctx: Context,
  { filter, dryRun, ...fields }: WhereInput & Record<string, unknown>,
): Promise<StartedWhere> {
  authorize(ctx, 'media.update');
  const parsed = parseInput(changeInput, fields);
  changedVisibility({ is_public: VISIBILITY.unlisted }, parsed);
  const change = toStored(fields) as Record<string, unknown>;
  const isEmpty = Object.entries(change).every(
    ([name, value]) => name === 'tagIds' && (value === null || `${value}` === ''),
  );
  if (isEmpty) throw nothingToDo();
  await checkTags(ctx, parsed.tagIds ?? []);
  return startWhere(ctx, 'update-where', { filter, dryRun }, { change });
}

function nothingToDo(): InvalidInputError {
  const message = 'Give at least one field to change.';
  return new InvalidInputError([{ path: [], code: 'REQUIRED', message }]);
}

/** Does the work of such a job. Returns the number of changed media. */
export function updateSelected(
  ctx: Context,
  { change, ...selection }: JobArguments<'update-where'>,
  run: WhereRun,
): Promise<number> {
  const fields = parseInput(changeInput, fromStored(change));
  return walkSelected(ctx, selection, run, {
    operation: 'media.update',
    // As all other operations, tags before media.
    lock: ({ db }) => lockTags(db, fields.tagIds ?? []),
    change: (ctx, ids) => updateMedias(ctx, { ...(fromStored(change) as object), ids: [...ids] }),
  });
}
