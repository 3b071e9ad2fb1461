import { findLastId, listIds } from '../../store/bulk/id-range.ts';
import { isNarrowed } from '../../store/bulk/narrowing.ts';
import { type Context, transact } from '../context.ts';
import { InvalidInputError } from '../error.ts';
import type { JobArguments } from '../job/class.ts';
import { enqueueJob } from '../job/enqueue.ts';
import { asShown, type Job, jobTarget } from '../job/job.ts';
import { MEDIA_TYPES } from '../tree/media.ts';
import type { MediaFilter } from '../tree/media-filter.ts';
import { countMedias, resolveFilter } from '../tree/media-list.ts';
import { isAdmin, scopeOf } from '../viewer/access.ts';
import { recordAudit } from '../viewer/audit.ts';
import { fromStored, toStored } from './stored-value.ts';

/** The classes of jobs that change all media that match a filter. */
export type WhereClass = 'delete-where' | 'tag-where' | 'update-where';

/** The media that a job changes, as its arguments name them. */
export type Selection = JobArguments<'delete-where'>;

/** A change of all media that match a filter. */
export interface WhereInput {
  filter: MediaFilter;
  /** True: only counts the media. */
  dryRun?: boolean | null | undefined;
}

/** The media that a change concerns, and the job that makes it. */
export interface StartedWhere {
  /** Null after a dry run. */
  job: Job | null;
  count: number;
}

/**
 * Counts the media that match a filter, and starts a job that changes them unless it is a dry run: for an admin all that
 * it may see, for any other viewer those that it has created. The caller has authorized the viewer. Throws
 * InvalidInputError for the filter, also for one that leaves out nothing.
 */
export async function startWhere<C extends WhereClass>(
  ctx: Context,
  jobClass: C,
  { filter, dryRun }: WhereInput,
  more: Omit<JobArguments<C>, keyof Selection>,
): Promise<StartedWhere> {
  const selection = await select(ctx, filter);
  const { count } = selection;
  if (dryRun) return { job: null, count };
  return transact(ctx, async (ctx) => {
    const { viewer } = ctx;
    const startedBy = viewer.kind === 'anonymous' ? {} : { startedBy: viewer };
    const args = { ...selection, ...more } as unknown as JobArguments<C>;
    const { job } = await enqueueJob(ctx, jobClass, args, startedBy);
    const target = jobTarget(job.id, jobClass);
    await recordAudit(ctx, { action: 'start', target, details: { count } });
    return { job: asShown(ctx, job), count };
  });
}

async function select(ctx: Context, filter: MediaFilter): Promise<Selection> {
  const up_to = await findLastId(ctx.db);
  const { viewer } = ctx;
  const startNodes = viewer.kind === 'anonymous' ? undefined : viewer.startNodes;
  if (!isNarrowed(ctx.db, await resolveFilter(ctx, filter), MEDIA_TYPES)) throw tooWide();
  const owner = isAdmin(ctx) ? undefined : (viewer.id ?? '');
  return {
    filter: toStored(filter) as Selection['filter'],
    up_to,
    count: await countMedias(ctx, ofOwner(filter, owner)),
    ...(owner !== undefined && { owner }),
    ...(startNodes && { start_node_ids: startNodes.map(({ id }) => id) }),
  };
}

function tooWide(): InvalidInputError {
  const message =
    'It selects all media. Give at least one field that narrows it; for all media, a `createdAt` that begins early enough.';
  return new InvalidInputError([{ path: ['filter'], code: 'REQUIRED', message }]);
}

function ofOwner(filter: MediaFilter, owner: string | undefined): MediaFilter {
  if (owner === undefined || filter.ownedBy === owner) return filter;
  // Of another viewer's media, none belong to this one.
  return filter.ownedBy === undefined ? { ...filter, ownedBy: owner } : { ...filter, ids: [] };
}

/** Returns the first ids after one of the media of a selection that match now, in the order of their ids. */
export async function selectedAfter(
  ctx: Context,
  selection: Selection,
  { after, limit }: { after: number; limit: number },
): Promise<number[]> {
  const filter = await resolveFilter(ctx, storedFilter(selection));
  return listIds(ctx.db, scopeOf(ctx), filter, { after, upTo: selection.up_to, limit });
}

/** Returns those of the ids whose media still match a selection. */
export async function selectedAmong(
  ctx: Context,
  selection: Selection,
  ids: readonly number[],
): Promise<number[]> {
  const filter = await resolveFilter(ctx, storedFilter(selection));
  const given = filter.ids && new Set(filter.ids);
  const both = given ? ids.filter((id) => given.has(id)) : ids;
  const range = { after: 0, upTo: selection.up_to, limit: ids.length };
  return listIds(ctx.db, scopeOf(ctx), { ...filter, ids: both }, range);
}

function storedFilter({ filter, owner }: Selection): MediaFilter {
  return ofOwner(fromStored(filter) as MediaFilter, owner);
}
