import type { FastifyRequest } from 'fastify';
import { type InputIssue, InvalidInputError } from '../../../domain/error.ts';
import type { Job, JobAttempt } from '../../../domain/job/job.ts';
import type { SignalInput } from '../../../domain/job/signal.ts';
import type { StartJobInput } from '../../../domain/job/start.ts';
import { allowedSignals, phaseOf } from '../../../domain/job/state.ts';
import { toSnakeCase } from '../../../lib/snake-case.ts';
import {
  type BodyObject,
  checkNames,
  escapePointer,
  integer,
  invalid,
  memberOf,
  readObject,
  required,
  seconds,
  text,
  time,
  toObject,
} from '../body-object.ts';
import { type Fieldset, type ResourceObject, toResourceObject } from '../document.ts';
import { type Problem, ProblemError, readAll } from '../problem.ts';

/** Contract §1.4. */
export const JOB_TYPE = 'media:jobs';

/**
 * Returns a job. Contract §3.4; attributes of §7.2 appear only if the fieldset names them.
 * `attempts` are the job's runs, oldest first; `now` is in milliseconds since 1970.
 */
export function toJobObject(
  job: Job,
  { attempts = [], now }: { attempts?: readonly JobAttempt[]; now: number },
  fieldset: Fieldset,
): ResourceObject {
  const shown = {
    job_class: job.jobClass,
    arguments: job.arguments,
    priority: job.priority,
    status: job.status,
    progress: job.progress,
    retry_count: job.retryCount,
    error: job.error,
    unicity: job.unicity,
    scheduled_at: job.scheduledAt.toISOString(),
    created_at: job.createdAt.toISOString(),
    updated_at: job.updatedAt.toISOString(),
  };
  const extra = {
    phase: phaseOf(job, now),
    max_retries: job.maxRetries,
    attempts: attempts.map(toAttempt),
    started_at: toTime(job.startedAt),
    finished_at: toTime(job.finishedAt),
    heartbeat_at: toTime(job.heartbeatAt),
    worker: job.worker,
    cancel_requested_at: toTime(job.cancelRequestedAt),
    cancel_reason: job.cancelReason,
    result: job.result,
    allowed_signals: allowedSignals(job.status),
  };
  return toResourceObject({ type: JOB_TYPE, id: job.uuid }, { shown, extra }, fieldset);
}

function toAttempt({ number, startedAt, finishedAt, worker, error }: JobAttempt) {
  return {
    number,
    started_at: startedAt.toISOString(),
    finished_at: toTime(finishedAt),
    worker,
    error,
  };
}

function toTime(date: Date | null): string | null {
  return date?.toISOString() ?? null;
}

/** A signal with its arguments. */
export interface SentSignal extends SignalInput {
  /** Seconds from now, instead of `at`. */
  after: number | undefined;
}

/**
 * Reads the attributes of the document in a request. Clients name the type after the path, `jobs`.
 * Throws UnsupportedBodyError, MalformedBodyError, and ProblemError: 409 for another type, 403 for
 * an id, which this server assigns, 422 for a malformed document.
 */
export async function readAttributes(request: FastifyRequest): Promise<BodyObject> {
  const data = memberOf(await readObject(request), 'data');
  const { type, id, attributes = {} } = data.values;
  if (typeof type !== 'string')
    throw invalid('/data/type', 'REQUIRED', 'The document must have a type.');
  if (type !== JOB_TYPE && type !== 'jobs') {
    throw ProblemError.of(409, 'wrong_type', `The type of a job must be ${JOB_TYPE}.`, {
      pointer: '/data/type',
    });
  }
  if (id !== undefined) {
    const detail = 'The server assigns the id of a job.';
    throw ProblemError.of(403, 'client_id_unsupported', detail, { pointer: '/data/id' });
  }
  return toObject(attributes, '/data/attributes');
}

/**
 * Reads the object in a request, bare or as the attributes of a document. Throws as
 * `readAttributes`.
 */
export async function readBareOrAttributes(request: FastifyRequest): Promise<BodyObject> {
  const body = await readObject(request);
  if (!('data' in body.values)) return body;
  return memberOf(memberOf(body, 'data'), 'attributes');
}

/** Reads a new job. Throws ProblemError with all faults of the body. */
export function toNewJob(body: BodyObject): StartJobInput {
  const names = ['job_class', 'arguments', 'priority', 'unicity', 'scheduled_at'];
  const { others, ...job } = readAll<Required<StartJobInput> & { others: null }>({
    others: () => checkNames(body, names),
    jobClass: () => required(body, 'job_class', text(body, 'job_class')),
    arguments: () => toObject(body.values.arguments ?? {}, `${body.pointer}/arguments`).values,
    priority: () => integer(body, 'priority'),
    unicity: () => text(body, 'unicity'),
    scheduledAt: () => time(body, 'scheduled_at'),
  });
  return job;
}

/** Reads a signal. Throws ProblemError with all faults of the body. */
export function toSentSignal(body: BodyObject): SentSignal {
  const names = ['signal', 'priority', 'at', 'after', 'reason'];
  const { others, ...signal } = readAll<Required<SentSignal> & { others: null }>({
    others: () => checkNames(body, names),
    // The domain checks whether the signal exists.
    signal: () => required(body, 'signal', text(body, 'signal')) as SentSignal['signal'],
    priority: () => integer(body, 'priority'),
    at: () => time(body, 'at'),
    after: () => seconds(body, 'after'),
    reason: () => text(body, 'reason'),
  });
  return signal;
}

/**
 * Returns a handler that renames the fields of the domain's errors: `jobClass` is `job_class` on
 * the wire.
 */
export function pointAt({ pointer }: BodyObject): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof InvalidInputError)) throw error;
    throw new ProblemError(error.issues.map((issue) => toProblem(pointer, issue)));
  };
}

function toProblem(pointer: string, { path, code, message }: InputIssue): Problem {
  const [field = '', ...rest] = path;
  const steps = [toSnakeCase(String(field)), ...rest].map(escapePointer);
  const source = { pointer: [pointer, ...steps].join('/') };
  return { status: 422, code: code.toLowerCase(), detail: message, source };
}
