import {
  DomainError,
  type InputIssue,
  InvalidInputError,
  NotAuthenticatedError,
  OffsetMismatchError,
  TooLargeError,
  TooManyRequestsError,
} from '../../domain/error.ts';
import { InsufficientStorageError, QuotaExceededError } from '../../domain/storage-error.ts';
import { MalformedBodyError, UnsupportedBodyError } from '../../http/body.ts';
import type { ErrorAnswer } from '../../http/dialect.ts';
import { httpStatus, publicMessage } from '../../http/status.ts';
import { toSnakeCase } from '../../lib/snake-case.ts';

/** A refusal, in the wording of the original services. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
  readonly statusCode: number;
  /** A code of Django REST framework, which the SDK translates: `invalid`, `not_found`. */
  readonly code: string;

  constructor(message: string, { status = 400, code = 'invalid' } = {}) {
    super(message);
    this.statusCode = status;
    this.code = code;
  }
}

/**
 * Returns the response to an error. Contract §5.2: the form of Django REST framework, together with the `errors` that
 * the SDK reads.
 */
export function toErrorAnswer(error: unknown): ErrorAnswer {
  const status = toStatus(error);
  const isUnknown = error instanceof NotAuthenticatedError;
  const headers = isUnknown ? { 'www-authenticate': 'Bearer realm="api"' } : {};
  if (error instanceof InvalidInputError)
    return { status, headers, body: toFieldBody(error.issues) };
  const [message, code] = describe(error);
  // Contract §5.3: the offset of the upload, so that the client can continue there.
  const more = error instanceof OffsetMismatchError ? { offset: error.offsetBytes } : {};
  const body = { detail: message, ...more, errors: [{ message, code }] };
  return { status, headers, body };
}

// Contract §5.3: the library answers these with 400, and not with their status in `http/status.ts`.
const CALLED_BAD_REQUEST = [
  'OFFSET_MISMATCH',
  'UPLOAD_COMPLETED',
  'TOO_LARGE',
  'UNSUPPORTED_MEDIA',
];

function toStatus(error: unknown): number {
  const isBadRequest = error instanceof DomainError && CALLED_BAD_REQUEST.includes(error.code);
  return isBadRequest ? 400 : httpStatus(error);
}

/** Returns the sentence and the code of an error. */
function describe(error: unknown): [message: string, code: string] {
  if (error instanceof DomainError) return describeDomainError(error);
  if (error instanceof RefusedError) return [error.message, error.code];
  if (error instanceof UnsupportedBodyError) {
    const message = `Unsupported media type "${error.contentType}" in request.`;
    return [message, 'unsupported_media_type'];
  }
  if (error instanceof MalformedBodyError) {
    const what = { json: 'JSON parse error - ', multipart: 'Multipart form parse error - ' };
    return [(error.format ? what[error.format] : '') + error.message, 'parse_error'];
  }
  const status = httpStatus(error);
  if (status === 403) return [publicMessage(error), 'permission_denied'];
  return [publicMessage(error), status < 500 ? 'parse_error' : 'error'];
}

function describeDomainError(error: DomainError): [message: string, code: string] {
  if (error instanceof NotAuthenticatedError) {
    return error.reason === 'missing'
      ? [error.message, 'not_authenticated']
      : ['Given token not valid for any token type', 'authentication_failed'];
  }
  if (error instanceof TooLargeError) {
    return [`Size of file exceeds the limit (${error.limitBytes} bytes)`, 'invalid'];
  }
  if (error instanceof TooManyRequestsError) return [throttledText(error), 'throttled'];
  const isFull = error instanceof QuotaExceededError || error instanceof InsufficientStorageError;
  if (isFull) return [error.message, error.code.toLowerCase()];
  return DESCRIPTIONS[error.code] ?? [error.message, httpStatus(error) < 500 ? 'invalid' : 'error'];
}

/** Returns the sentence of Django REST framework's `Throttled`, and the reason where it is not too many requests. */
function throttledText({ message, retryAfterMs, exceeded }: TooManyRequestsError): string {
  if (exceeded !== null && exceeded.name !== 'requests') return message;
  const seconds = Math.ceil(retryAfterMs / 1000);
  return `Request was throttled. Expected available in ${seconds} second${seconds === 1 ? '' : 's'}.`;
}

const DESCRIPTIONS: Readonly<Record<string, [message: string, code: string]>> = {
  FORBIDDEN: ['You do not have permission to perform this action.', 'permission_denied'],
  NOT_FOUND: ['Not found.', 'not_found'],
  OFFSET_MISMATCH: ['Offsets do not match', 'invalid'],
  UPLOAD_EXPIRED: ['Upload has expired', 'invalid'],
  UPLOAD_COMPLETED: ['Upload has already been marked as "complete"', 'invalid'],
  DIGEST_MISMATCH: ['md5 checksum does not match', 'invalid'],
};

/** Codes of the domain and of zod, with those of Django REST framework. Any other is `invalid`. */
const FIELD_CODES: Readonly<Record<string, string>> = {
  REQUIRED: 'required',
  NULL: 'null',
  BLANK: 'blank',
  INVALID_CHOICE: 'invalid_choice',
  INVALID_VALUE: 'invalid_choice',
  TOO_BIG: 'max_length',
  TOO_SMALL: 'min_length',
};

function toFieldBody(issues: readonly InputIssue[]): object {
  const byField = Map.groupBy(issues, ({ path }) => fieldName(path));
  const errors = [...byField].map(([field, issues]) => ({
    field,
    messages: issues.map((issue) => ({
      message: fieldText(issue),
      code: FIELD_CODES[issue.code] ?? 'invalid',
    })),
  }));
  const texts = errors.map(({ field, messages }) => [
    field,
    messages.map(({ message }) => message),
  ]);
  return { ...Object.fromEntries(texts), errors };
}

/** Returns the sentence of Django REST framework for a fault: contract §4. */
function fieldText({ path, code, message, limit }: InputIssue): string {
  // The message about a body as a whole is already in the words of the service.
  if (path.length === 0) return message;
  if (code === 'REQUIRED') return 'This field is required.';
  if (code === 'NULL') return 'This field may not be null.';
  if (code === 'BLANK') return 'This field may not be blank.';
  if (code !== 'TOO_BIG' || limit === undefined) return message;
  return `Ensure this field has no more than ${limit} characters.`;
}

/**
 * Names a field as the wire does: `createdAt` is `created_at`. Faults of no single field have a
 * name of their own.
 */
function fieldName([field]: InputIssue['path']): string {
  if (field === undefined) return 'non_field_errors';
  return toSnakeCase(String(field));
}
