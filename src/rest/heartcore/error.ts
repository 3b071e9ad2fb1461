import {
  FolderCycleError,
  ForbiddenError,
  type InputIssue,
  InvalidInputError,
  NotAuthenticatedError,
  TooLargeError,
  UnsupportedMediaError,
} from '../../domain/error.ts';
import { BodyTooLargeError, UnsupportedBodyError } from '../../http/body.ts';
import type { ErrorAnswer } from '../../http/dialect.ts';
import { httpStatus, publicMessage } from '../../http/status.ts';

/** Contract §4.7: each code of the envelope, and its status. The contract has no code for 408, 429 and 507. */
const STATUS = {
  BadRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  RequestTimeout: 408,
  PayloadTooLarge: 413,
  UnsupportedMediaType: 415,
  ValidationFailed: 422,
  TooManyRequests: 429,
  InternalServerError: 500,
  ServiceUnavailable: 503,
  InsufficientStorage: 507,
} as const;
type Code = keyof typeof STATUS;

/** A refusal, in the wording of the original service. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
  readonly code: Code;
  readonly statusCode: number;

  constructor(code: Code, message: string) {
    super(message);
    this.code = code;
    this.statusCode = STATUS[code];
  }
}

/** Returns the error for an item of the URL that does not exist. It repeats the id as given: contract §4.2. */
export function noSuchItem(id: string): RefusedError {
  return new RefusedError('NotFound', `Media with id '${id}' could not be found.`);
}

interface ErrorBody {
  error: { code: Code; message: string; details?: object };
}

/** Returns the response to an error: contract §4.7. */
export function toErrorAnswer(error: unknown): ErrorAnswer<ErrorBody> {
  const issues = toIssues(error);
  if (issues !== null) return toAnswer('ValidationFailed', VALIDATION_FAILED, toDetails(issues));
  const [code, message] = describe(error);
  return toAnswer(code, message);
}

function toAnswer(code: Code, message: string, details?: object): ErrorAnswer<ErrorBody> {
  const body = { error: { code, message, ...(details !== undefined && { details }) } };
  return { status: STATUS[code], body };
}

/** Contract §4.7, with its spelling. */
const VALIDATION_FAILED = 'Validation error occured when trying to save or update the media item.';

/** Returns the faults in the content of a body, or null for any other error. */
function toIssues(error: unknown): readonly InputIssue[] | null {
  if (error instanceof InvalidInputError) return error.issues;
  if (error instanceof FolderCycleError) return [issueOf('parentId', error.message)];
  if (error instanceof UnsupportedMediaError) return [issueOf('umbracoFile', error.message)];
  return null;
}

/** Returns a fault in a property, which is named by its alias. */
export function issueOf(alias: string, message: string): InputIssue {
  return { path: [alias], code: 'INVALID', message };
}

/** Names of the domain with the aliases that this dialect has for them. */
const ALIASES: Readonly<Record<string, string>> = {
  folderId: 'parentId',
  file: 'umbracoFile',
  focalPoint: 'umbracoFile',
  crops: 'umbracoFile',
};

/** Returns an object, because .NET reads `details` as a dictionary. */
function toDetails(issues: readonly InputIssue[]): object {
  const byAlias = Map.groupBy(issues, ({ path: [field = ''] }) => ALIASES[field] ?? String(field));
  const errors = [...byAlias].map(([alias, issues]) => [alias, issues.map(toText)]);
  return { errors: Object.fromEntries(errors) };
}

/** Names the part of a value that is at fault: `focalPoint.left: …`. */
function toText({ path: [field = '', ...rest], message }: InputIssue): string {
  const isRenamed = rest.length > 0 || field === 'focalPoint' || field === 'crops';
  return isRenamed ? `${[field, ...rest].join('.')}: ${message}` : message;
}

function describe(error: unknown): [code: Code, message: string] {
  if (error instanceof RefusedError) return [error.code, error.message];
  if (error instanceof NotAuthenticatedError) {
    return ['Unauthorized', 'Authorization has been denied for this request.'];
  }
  if (error instanceof ForbiddenError) {
    return ['Forbidden', 'You are not authorized to access the given resource.'];
  }
  if (error instanceof TooLargeError || error instanceof BodyTooLargeError) {
    return ['PayloadTooLarge', error.message];
  }
  if (error instanceof UnsupportedBodyError) {
    return ['UnsupportedMediaType', 'Send application/json or multipart/form-data.'];
  }
  const status = httpStatus(error);
  const code = CODE_BY_STATUS[status] ?? (status >= 500 ? 'InternalServerError' : 'BadRequest');
  return [code, publicMessage(error)];
}

const CODE_BY_STATUS: Readonly<Record<number, Code>> = {
  403: 'Forbidden',
  404: 'NotFound',
  408: 'RequestTimeout',
  415: 'UnsupportedMediaType',
  429: 'TooManyRequests',
  503: 'ServiceUnavailable',
  507: 'InsufficientStorage',
};
