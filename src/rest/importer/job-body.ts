import type { FastifyRequest } from 'fastify';
import { type InputIssue, InvalidInputError } from '../../domain/error.ts';
import type { SignalInput } from '../../domain/job/signal.ts';
import type { StartJobInput } from '../../domain/job/start.ts';
import { toSnakeCase } from '../../lib/snake-case.ts';
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
} from './body-object.ts';
import { JOB_TYPE } from './job-shape.ts';
import { type Problem, RefusedError, readAll } from './problem.ts';

/** A signal, and what it may come with. */
export interface SentSignal extends SignalInput {
  /** Seconds from now, instead of `at`. */
  after: number | undefined;
}

/**
 * The attributes of the document that a request brings. Clients name the type by the path that they send it
 * to, `jobs`. Throws UnsupportedBodyError, MalformedBodyError, and RefusedError: 409 for another type, 403 for
 * an id, which this server gives, 422 for what is no document.
 */
export async function readAttributes(request: FastifyRequest): Promise<BodyObject> {
  const data = memberOf(await readObject(request), 'data');
  const { type, id, attributes = {} } = data.values;
  if (typeof type !== 'string') throw invalid('/data/type', 'REQUIRED', 'A type is needed.');
  if (type !== JOB_TYPE && type !== 'jobs') {
    throw RefusedError.of(409, 'wrong_type', `A job is of type ${JOB_TYPE}.`, {
      pointer: '/data/type',
    });
  }
  if (id !== undefined) {
    const detail = 'The id of a job is given by this server.';
    throw RefusedError.of(403, 'client_id_unsupported', detail, { pointer: '/data/id' });
  }
  return toObject(attributes, '/data/attributes');
}

/** The object that a request brings, bare or as the attributes of a document. Throws as `readAttributes`. */
export async function readBareOrAttributes(request: FastifyRequest): Promise<BodyObject> {
  const body = await readObject(request);
  if (!('data' in body.values)) return body;
  return memberOf(memberOf(body, 'data'), 'attributes');
}

/** Throws RefusedError with all that is wrong. */
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

/** Throws RefusedError with all that is wrong. */
export function toSentSignal(body: BodyObject): SentSignal {
  const names = ['signal', 'priority', 'at', 'after', 'reason'];
  const { others, ...signal } = readAll<Required<SentSignal> & { others: null }>({
    others: () => checkNames(body, names),
    // Whether there is such a signal, the domain says.
    signal: () => required(body, 'signal', text(body, 'signal')) as SentSignal['signal'],
    priority: () => integer(body, 'priority'),
    at: () => time(body, 'at'),
    after: () => seconds(body, 'after'),
    reason: () => text(body, 'reason'),
  });
  return signal;
}

/** What the domain has refused, by the names of the wire: `jobClass` is `job_class`. */
export function pointAt({ pointer }: BodyObject): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof InvalidInputError)) throw error;
    throw new RefusedError(error.issues.map((issue) => toProblem(pointer, issue)));
  };
}

function toProblem(pointer: string, { path, code, message }: InputIssue): Problem {
  const [field = '', ...rest] = path;
  const steps = [toSnakeCase(String(field)), ...rest].map(escapePointer);
  const source = { pointer: [pointer, ...steps].join('/') };
  return { status: 422, code: code.toLowerCase(), detail: message, source };
}
