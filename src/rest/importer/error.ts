import {
  DomainError,
  type InputIssue,
  InvalidInputError,
  NotAuthenticatedError,
  ServerBusyError,
  TooManyRequestsError,
} from '../../domain/error.ts';
import { IllegalSignalError, UnicityTakenError } from '../../domain/job/conflict.ts';
import { MalformedBodyError, UnsupportedBodyError } from '../../http/body.ts';
import { HttpError } from '../../http/http-error.ts';
import { httpStatus, publicMessage } from '../../http/status.ts';
import { escapePointer } from './body-object.ts';
import { type Problem, RefusedError } from './problem.ts';

/** An error on the wire. */
export interface ErrorAnswer {
  status: number;
  headers: Readonly<Record<string, string>>;
  document: object;
}

/** Contract §1.6: one document of JSON:API for every failure, with all problems of the request. */
export function toErrorAnswer(error: unknown, requestId: string): ErrorAnswer {
  const problems = toProblems(error);
  const { statusCode } = error instanceof RefusedError ? error : new RefusedError(problems);
  const errors = problems.map(({ status, code, detail, source, meta }) => ({
    id: requestId,
    status: String(status),
    code,
    title: titleOf(code),
    detail,
    ...(source && { source }),
    ...(meta && { meta }),
  }));
  return { status: statusCode, headers: toHeaders(error), document: { errors } };
}

function toHeaders(error: unknown): ErrorAnswer['headers'] {
  if (error instanceof NotAuthenticatedError) return { 'www-authenticate': 'Bearer' };
  const isLater = error instanceof ServerBusyError || error instanceof TooManyRequestsError;
  return isLater ? { 'retry-after': String(Math.ceil(error.retryAfterMs / 1000)) } : {};
}

function toProblems(error: unknown): readonly Problem[] {
  if (error instanceof RefusedError) return error.problems;
  if (error instanceof InvalidInputError) return error.issues.map(toInputProblem);
  const status = statusOf(error);
  const detail = publicMessage(error);
  return [{ status, code: codeOf(error, status), detail, ...sourceOf(error), ...metaOf(error) }];
}

/** Codes of the domain that this road has a status of its own for: §4.5, and JSON:API of what cannot be processed. */
const OWN_STATUS: Readonly<Record<string, number>> = { ALREADY_EXISTS: 422 };

function statusOf(error: unknown): number {
  const own = error instanceof DomainError ? OWN_STATUS[error.code] : undefined;
  return own ?? httpStatus(error);
}

/** What is wrong with the body: the domain names its fields in its own way, see `renamed`. */
function toInputProblem({ path, code, message }: InputIssue): Problem {
  const source = { pointer: `/${path.map(escapePointer).join('/')}` };
  return { status: 422, code: code.toLowerCase(), detail: message, source };
}

function codeOf(error: unknown, status: number): string {
  if (error instanceof DomainError || error instanceof HttpError) return error.code.toLowerCase();
  if (error instanceof MalformedBodyError) return 'malformed_body';
  if (error instanceof UnsupportedBodyError) return 'unsupported_media_type';
  if (isBadUrl(error)) return 'malformed_url';
  return CODES.get(status) ?? (status < 500 ? 'bad_request' : 'internal_error');
}

/** Fastify's, for a path that is no percent-encoded UTF-8. */
function isBadUrl(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'FST_ERR_BAD_URL';
}

const CODES: ReadonlyMap<number, string> = new Map([
  [404, 'not_found'],
  [413, 'too_large'],
  [414, 'uri_too_long'],
  [415, 'unsupported_media_type'],
]);

function sourceOf(error: unknown): Pick<Problem, 'source'> {
  return error instanceof UnsupportedBodyError ? { source: { header: 'Content-Type' } } : {};
}

/** Contract §7.3 and §7.4: what a job is, and what it can be told instead; the job that has a `unicity`. */
function metaOf(error: unknown): Pick<Problem, 'meta'> {
  if (error instanceof IllegalSignalError) {
    return { meta: { status: error.status, allowed_signals: error.allowedSignals } };
  }
  return error instanceof UnicityTakenError ? { meta: { id: error.holder } } : {};
}

/** `already_exists` is `Already exists`. */
function titleOf(code: string): string {
  const words = code.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
