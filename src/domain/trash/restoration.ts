import { groupById } from '../../lib/group.ts';
import { listTakenDirs } from '../../store/file/dir.ts';
import type { NodeRow, TrashedNodeRow, TrashedRow } from '../../store/table.ts';
import { listTagsByIds, lockTags } from '../../store/tag/tag.ts';
import {
  deleteTrashed,
  HANGING,
  type HangingSource,
  insertAgain,
  listJobsById,
  listTrashedRows,
  updateJobsNode,
} from '../../store/trash/row.ts';
import { writeWords } from '../../store/tree/words.ts';
import type { Context } from '../context.ts';
import { nodeEvent } from '../event/event.ts';
import { JOB_CLASSES, type JobArguments, type JobClass } from '../job/class.ts';
import { enqueueJob } from '../job/enqueue.ts';
import { newDir } from '../tree/address.ts';
import { parseTrashed, type TrashedJob } from '../tree/discard.ts';
import type { Place } from '../tree/place.ts';

/** A node in the trash, and the place that it gets. */
export interface Restored {
  trashed: TrashedNodeRow;
  place: Place;
}

/**
 * Takes nodes out of the trash, with the rows that left with them: ids, files, URLs and tags are as they were. Tags that
 * have been deleted since are left out. Each node comes after the folder that contains it. Call it with the tree locked.
 */
export async function takeOut(ctx: Context, nodes: readonly Restored[]): Promise<void> {
  const rows = nodes.map(toNodeRow);
  const ids = rows.map(({ id }) => id);
  const hanging = await listTrashedRows(ctx.db, ids);
  await deleteTrashed(ctx.db, ids);
  await insertAgain(ctx.db, 'media', rows);
  await writeWords(ctx.db, rows);
  for (const { source } of HANGING) {
    const own = hanging.flatMap((row) => (row.source === source ? (toOwnRow(row) as never) : []));
    const wanted = await (CURRENT[source]?.(ctx, own) ?? own);
    await insertAgain(ctx.db, source, wanted);
  }
  await resumeJobs(
    ctx,
    nodes.map(({ trashed }) => trashed),
  );
  for (const row of rows) ctx.events.publish(nodeEvent('created', row));
}

/**
 * Returns the row as it was, with the mark of damaged bytes that it has got in the trash. The renditions of a file were
 * deleted with its row.
 */
function toOwnRow({ row, source, damaged_at }: TrashedRow): object {
  const own = JSON.parse(row) as object;
  return source === 'file' ? { ...own, damaged_at, thumbnail_sizes: null } : own;
}

/** Functions that adapt the rows of a table to what has changed meanwhile. Other tables get the rows that they had. */
const CURRENT: {
  [Source in HangingSource]?: (ctx: Context, rows: readonly never[]) => Promise<object[]>;
} = { file: withFreeDirs, media_tag: withLivingTags };

function toNodeRow({ trashed, place }: Restored): NodeRow {
  return { ...parseTrashed(trashed), ...place, deleted_at: null };
}

interface TagLink {
  tag_id: number;
}

async function withLivingTags(ctx: Context, links: readonly TagLink[]): Promise<TagLink[]> {
  const ids = [...new Set(links.map(({ tag_id }) => tag_id))];
  if (ids.length === 0) return [];
  await lockTags(ctx.db, ids);
  const living = new Set((await listTagsByIds(ctx.db, ids)).map(({ id }) => id));
  return links.filter(({ tag_id }) => living.has(tag_id));
}

interface FileOfNode {
  media_id: number;
  dir: string;
}

/** Gives a media item a new address if another one has its address by now, which is rare: an address is 40 random bits. */
async function withFreeDirs(ctx: Context, files: readonly FileOfNode[]): Promise<FileOfNode[]> {
  const taken = await listTakenDirs(ctx.db, [...new Set(files.map(({ dir }) => dir))]);
  if (taken.length === 0) return [...files];
  const changed: FileOfNode[] = [];
  for (const [, own] of groupById(
    files,
    ({ media_id }) => media_id,
    (file) => file,
  )) {
    const dir = own.some((file) => taken.includes(file.dir)) ? await newDir(ctx) : undefined;
    changed.push(...own.map((file) => (dir === undefined ? file : { ...file, dir })));
  }
  return changed;
}

/** Lists the jobs of the nodes again, and repeats those that did not find their node. */
async function resumeJobs(ctx: Context, nodes: readonly TrashedNodeRow[]): Promise<void> {
  const noted = nodes.map(({ id, jobs }) => ({ id, jobs: JSON.parse(jobs) as TrashedJob[] }));
  const ids = noted.flatMap(({ jobs }) => jobs.map(({ id }) => id));
  if (ids.length === 0) return;
  const known = new Map((await listJobsById(ctx.db, ids)).map((job) => [job.id, job]));
  for (const { id: mediaId, jobs } of noted) {
    const left = jobs.filter(({ id }) => known.has(id)).map(({ id }) => id);
    if (left.length > 0) await updateJobsNode(ctx.db, left, mediaId);
    for (const { id, open } of jobs) {
      const isOver = known.get(id)?.finished_at !== null;
      if (open !== undefined && isOver) await repeatJob(ctx, mediaId, open);
    }
  }
}

async function repeatJob(
  ctx: Context,
  mediaId: number,
  { job_class, unicity, ...job }: NonNullable<TrashedJob['open']>,
): Promise<void> {
  const jobClass = job_class as JobClass;
  // A job that a client has started is the client's to repeat.
  if (JOB_CLASSES[jobClass]?.isStartable !== false) return;
  const args = JSON.parse(job.arguments) as JobArguments<JobClass>;
  await enqueueJob(ctx, jobClass, args, { mediaId, ...(unicity !== null && { unicity }) });
}
