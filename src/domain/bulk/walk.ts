import { updateJobResult } from '../../store/job/job.ts';
import { lockNodes } from '../../store/tree/node.ts';
import { type Context, transact } from '../context.ts';
import { ForbiddenError } from '../error.ts';
import { type BiteOptions, inBites } from '../job/bite.ts';
import { findJob } from '../job/job.ts';
import { isAdmin, isAllowed, type Operation } from '../viewer/access.ts';
import { type Starter, starterNow } from '../viewer/starter.ts';
import { type Selection, selectedAfter, selectedAmong } from './selection.ts';

/** The run of a job that changes all media of a selection. */
export interface WhereRun extends BiteOptions {
  jobId: number;
  startedBy: Starter | null;
}

/** A change of some media of a selection. */
export interface WhereChange {
  /** The operation that the viewer must be allowed to do. */
  operation: Operation;
  /** Locks other rows before the media, inside the transaction. (Default: none) */
  lock?: (ctx: Context) => Promise<void>;
  /** Changes the media, at most 200, inside the transaction. */
  change: (ctx: Context, ids: readonly number[]) => Promise<unknown>;
}

/** How far a job has come: its result until it has one. */
interface State {
  media_changed: number;
  /** The last media item that has been changed, or did not match any more. */
  walked_up_to: number;
  /** Number of media up to that one. */
  media_walked: number;
}

const START: State = { media_changed: 0, walked_up_to: 0, media_walked: 0 };

/**
 * Changes the media of a selection in small transactions, in the order of their ids, as the viewer who started the job.
 * The job keeps in each transaction how far it has come, so that a run goes on where an earlier one was broken off, and
 * a change after which a media item no longer matches does not disturb it. The rights of the viewer are read again before
 * each transaction. Returns the number of changed media. Throws ForbiddenError, and the errors of the change.
 */
export async function walkSelected(
  server: Context,
  selection: Selection,
  { jobId, startedBy, signal, onProgress }: WhereRun,
  change: WhereChange,
): Promise<number> {
  let state = await stateOf(server, jobId);
  const before = state?.media_walked ?? 0;
  const all = Math.max(1, selection.count);
  const report = (fraction: number) =>
    onProgress?.(Math.min(1, (before + fraction * (all - before)) / all));
  await inBites({ signal, onProgress: report }, Math.max(1, all - before), async (limit) => {
    const ctx = await asStarter(server, selection, startedBy, change.operation);
    const after = state?.walked_up_to ?? 0;
    const ids = await selectedAfter(ctx, selection, { after, limit });
    if (ids.length === 0) return 0;
    state = await transact(ctx, async (ctx) => {
      await change.lock?.(ctx);
      await lockNodes(ctx.db, ids);
      const matching = await selectedAmong(ctx, selection, ids);
      if (matching.length > 0) await change.change(ctx, matching);
      return keepState(ctx, jobId, state, { ids, changed: matching.length });
    });
    return ids.length;
  });
  return state?.media_changed ?? 0;
}

async function stateOf(server: Context, id: number): Promise<State | null> {
  const job = await findJob(server, { id });
  return (job?.result ?? null) as State | null;
}

async function keepState(
  { db }: Context,
  jobId: number,
  before: State | null,
  { ids, changed }: { ids: readonly number[]; changed: number },
): Promise<State> {
  const last = before ?? START;
  const state = {
    media_changed: last.media_changed + changed,
    walked_up_to: ids.at(-1) ?? last.walked_up_to,
    media_walked: last.media_walked + ids.length,
  };
  const from = before && JSON.stringify(before);
  if (await updateJobResult(db, jobId, { from, to: JSON.stringify(state) })) return state;
  throw new Error(`The job ${jobId} is over, or another run goes on with it.`);
}

async function asStarter(
  server: Context,
  { owner, start_node_ids: startNodeIds }: Selection,
  startedBy: Starter | null,
  operation: Operation,
): Promise<Context> {
  if (startedBy === null) throw new ForbiddenError('Nobody has started the job.');
  const ctx = { ...server, viewer: await starterNow(server, { ...startedBy, startNodeIds }) };
  const wasAdmin = owner === undefined;
  if (isAllowed(ctx, operation) && (!wasAdmin || isAdmin(ctx))) return ctx;
  throw new ForbiddenError('The viewer who started the job no longer has the role that it needs.');
}
