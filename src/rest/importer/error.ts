import {
  DomainError,
  type InputIssue,
  InvalidInputError,
  NotAuthenticatedError,
} from '../../domain/error.ts';
import { IllegalSignalError, UnicityTakenError } from '../../domain/job/conflict.ts';
import { MalformedBodyError, UnsupportedBodyError } from '../../http/body.ts';
import type { ErrorAnswer } from '../../http/dialect.ts';
import { HttpError } from '../../http/http-error.ts';
import { httpStatus, publicMessage } from '../../http/status.ts';
import { escapePointer } from './body-object.ts';
import { type Problem, ProblemError } from './problem.ts';

/**
 * Returns the response to an error. Contract §1.6: every error is one document of JSON:API, with all problems of the
 * request.
 */
export function toErrorAnswer(error: unknown, requestId: string): ErrorAnswer {
  const problems = toProblems(error);
  const { statusCode } = error instanceof ProblemError ? error : new ProblemError(problems);
  const errors = problems.map(({ status, code, detail, source, meta }) => ({
    id: requestId,
    status: String(status),
    code,
    title: titleOf(code),
    detail,
    ...(source && { source }),
    ...(meta && { meta }),
  }));
  const isUnknown = error instanceof NotAuthenticatedError;
  const headers = isUnknown ? { 'www-authenticate': 'Bearer' } : {};
  return { status: statusCode, headers, body: { errors } };
}

function toProblems(error: unknown): readonly Problem[] {
  if (error instanceof ProblemError) return error.problems;
  if (error instanceof InvalidInputError) return error.issues.map(toInputProblem);
  const status = statusOf(error);
  const detail = publicMessage(error);
  return [{ status, code: codeOf(error, status), detail, ...sourceOf(error), ...metaOf(error) }];
}

/**
 * Codes of the domain with a status of their own here: §4.5, and JSON:API for requests that cannot
 * be processed.
 */
const OWN_STATUS: Readonly<Record<string, number>> = { ALREADY_EXISTS: 422 };

function statusOf(error: unknown): number {
  const own = error instanceof DomainError ? OWN_STATUS[error.code] : undefined;
  return own ?? httpStatus(error);
}

/**
 * Returns the problem for a fault in the body or in a filter. The domain uses its own names of fields, see `renamed`.
 */
function toInputProblem({ path, code, message }: InputIssue): Problem {
  const [first, field] = path;
  if (first === 'filter') {
    const parameter = field === undefined ? 'filter' : `filter[${field}]`;
    return { status: 422, code: 'invalid_parameter', detail: message, source: { parameter } };
  }
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

/** Tells whether this is Fastify's error for a path that is not percent-encoded UTF-8. */
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

/**
 * Returns the details of an error, contract §7.3 and §7.4: the status of a job and the signals that it allows, or the
 * job that holds a `unicity`.
 */
function metaOf(error: unknown): Pick<Problem, 'meta'> {
  if (error instanceof IllegalSignalError) {
    return { meta: { status: error.status, allowed_signals: error.allowedSignals } };
  }
  const holder = error instanceof UnicityTakenError ? error.holder : null;
  return holder === null ? {} : { meta: { id: holder } };
}

/** Returns `Already exists` for `already_exists`. */
function titleOf(code: string): string {
  const words = code.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
