import type { Context } from '../../../domain/context.ts';
import { NotFoundError } from '../../../domain/error.ts';
import { attemptsByJobIds, deleteJob, findJob, type Job } from '../../../domain/job/job.ts';
import { JOB_FIELDS, type JobField, searchJobs } from '../../../domain/job/search.ts';
import { signalJob } from '../../../domain/job/signal.ts';
import { requestJob } from '../../../domain/upload/import.ts';
import { pathParameter } from '../../../http/dialect.ts';
import { parseUuid } from '../../../lib/uuid.ts';
import {
  answerResource,
  type DocumentAnswer,
  type Fieldset,
  parseShown,
  type ResourceObject,
} from '../document.ts';
import { answerList, listedType } from '../list.ts';
import type { QueriedCall } from '../query.ts';
import {
  JOB_TYPE,
  pointAt,
  readAttributes,
  readBareOrAttributes,
  toJobObject,
  toNewJob,
  toSentSignal,
} from './job-shape.ts';

/** Contract §3.4. Arguments are shown, but lists cannot be filtered or sorted by them. */
const TYPE = listedType(JOB_TYPE, JOB_FIELDS, { uuid: 'id' }, 'uuid');

/** `GET /jobs`: contract §3.1. */
export function listJobs(call: QueriedCall): Promise<DocumentAnswer> {
  const { ctx } = call;
  return answerList<JobField, Job>(call, {
    ...TYPE,
    search: (search) => searchJobs(ctx, search),
    show: (jobs, fieldset) => toObjects(ctx, jobs, fieldset),
  });
}

/** `GET /jobs/{id}`: contract §3.2. */
export async function showJob(call: QueriedCall): Promise<DocumentAnswer> {
  const shown = parseShown(call.query, JOB_TYPE);
  const [data] = await toObjects(call.ctx, [await find(call)], shown.fieldset);
  return answerResource(data, shown);
}

/** `DELETE /jobs/{id}`: contract §3.3. */
export async function removeJob(call: QueriedCall): Promise<DocumentAnswer> {
  await deleteJob(call.ctx, (await find(call)).id);
  return { status: 204, body: null };
}

/** `POST /jobs`, for the classes that clients may start. */
export async function postJob(call: QueriedCall): Promise<DocumentAnswer> {
  const { ctx, request, toUrl } = call;
  const body = await readAttributes(request);
  const job = await requestJob(ctx, toNewJob(body)).catch(pointAt(body));
  const path = request.url.split('?', 1)[0]?.replace(/\/$/, '');
  return {
    status: 201,
    body: { data: toJobObject(job, { now: ctx.clock() }, null) },
    headers: { location: toUrl(`${path}/${job.uuid}`) },
  };
}

/** `POST /jobs/{id}/signal`: contract §7.3. Repeating a signal changes nothing. */
export async function signal(call: QueriedCall): Promise<DocumentAnswer> {
  const { ctx, request } = call;
  const { id } = await find(call);
  const body = await readBareOrAttributes(request);
  const { after, ...sent } = toSentSignal(body);
  const later = after === undefined ? undefined : new Date(ctx.clock() + after * 1000);
  const input = { ...sent, at: sent.at ?? later };
  const job = await signalJob(ctx, id, input).catch(pointAt(body));
  return { status: 200, body: { data: toJobObject(job, { now: ctx.clock() }, null) } };
}

/** Throws NotFoundError, also for a malformed id. */
async function find(call: QueriedCall): Promise<Job> {
  const id = pathParameter(call, 'id');
  const uuid = parseUuid(id);
  const job = uuid === null ? null : await findJob(call.ctx, { uuid });
  if (job === null) throw new NotFoundError('job', id);
  return job;
}

/** Reads the runs only if they are shown. */
async function toObjects(
  ctx: Context,
  jobs: readonly Job[],
  fieldset: Fieldset,
): Promise<ResourceObject[]> {
  const ids = fieldset?.has('attempts') ? jobs.map(({ id }) => id) : [];
  const attempts = ids.length > 0 ? await attemptsByJobIds(ctx, ids) : new Map();
  const now = ctx.clock();
  return jobs.map((job) => toJobObject(job, { attempts: attempts.get(job.id), now }, fieldset));
}
