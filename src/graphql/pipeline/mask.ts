import { type ExecutionArgs, type ExecutionResult, GraphQLError } from 'graphql';
import type { Log } from '../../domain/context.ts';
import { DomainError, InvalidInputError } from '../../domain/error.ts';
import { toCallerError } from '../../domain/failure.ts';
import { HttpError } from '../../http/http-error.ts';
import { httpStatus, isRetryable, publicMessage, retryHeaders } from '../../http/status.ts';
import type { GraphqlContext } from '../builder.ts';
import type { Cost } from './cost.ts';
import { withWholePaths } from './issue-path.ts';

/** The context of one operation. */
export interface OperationContext extends GraphqlContext {
  requestId: string;
  /** Throws RefusedOperationError if the operation costs too much. (Default: `checkCost`) */
  spend?: (cost: Cost) => void;
  /** Takes a slot for a subscription until the response ends. Throws TooManyRequestsError. */
  takeStreamSlot: () => void;
  /** Throws NotAuthenticatedError if the credential of the request is no longer valid, or has other rights by now. */
  checkViewer: () => Promise<void>;
  /** Calls back when `checkViewer` throws while a stream is idle. Returns the function that ends the watch. */
  watchViewer: (onInvalid: (error: unknown) => void) => () => void;
}

/** Returns the context of the operation that `args` describe. */
export function contextOf({ contextValue }: ExecutionArgs): OperationContext {
  return contextValue as OperationContext;
}

/** Returns the result as the client may see it. A result without `data` is a request error: execution never started. */
export function maskResult(result: ExecutionResult, args: ExecutionArgs): ExecutionResult {
  if (result.errors === undefined) return result;
  const { domain, requestId } = contextOf(args);
  const maskOne = 'data' in result ? maskError : maskRequestError;
  const errors = result.errors.map((error) =>
    maskOne(withWholePaths(error, args), domain.log, requestId),
  );
  const http = hasData(result) ? null : laterResponse(result.errors);
  return { ...result, errors, ...(http && { extensions: { ...result.extensions, http } }) };
}

/** Tells whether any field at the top of the result has a value. */
function hasData({ data }: ExecutionResult): boolean {
  return Object.values(data ?? {}).some((value) => value !== null);
}

/**
 * Returns the status and the headers for an operation that failed but may succeed later; null for any other. Its result
 * is not sent with status 200, whatever the client accepts, because clients that retry and proxies read only the
 * status.
 */
function laterResponse(errors: readonly GraphQLError[]) {
  for (const error of errors) {
    const cause = causeOf(error);
    if (isRetryable(cause)) return { status: httpStatus(cause), headers: retryHeaders(cause) };
  }
  return null;
}

/** Returns the error that a caller may see as the reason of an error of a resolver. */
export function causeOf(error: unknown): unknown {
  return toCallerError(error instanceof GraphQLError ? (error.originalError ?? error) : error);
}

/**
 * Returns an error of the `errors` list as the client may see it. Errors of the client keep their message; anything
 * else is a bug, which is logged and masked.
 */
export function maskError(error: unknown, log: Log, requestId: string): GraphQLError {
  const graphqlError = error instanceof GraphQLError ? error : null;
  const cause = causeOf(error);
  if (cause instanceof DomainError) {
    if (isRetryable(cause) && cause.cause !== undefined) {
      log.warn({ err: cause }, 'resolver failed');
    }
    return toGraphqlError(cause.message, graphqlError, domainExtensions(cause));
  }
  const status = httpStatus(cause);
  if (status < 500) {
    const code = cause instanceof HttpError ? cause.code : 'BAD_REQUEST';
    const extensions = { code, http: { status } };
    return toGraphqlError(publicMessage(cause), graphqlError, extensions);
  }
  if (graphqlError !== null && graphqlError.originalError === undefined) return graphqlError;
  log.error({ err: cause }, 'resolver failed');
  return toGraphqlError(publicMessage(cause), graphqlError, { code: 'INTERNAL', requestId });
}

/** Gives an error in the variables the HTTP status that Yoga gives invalid documents. Keeps its message. */
function maskRequestError(error: GraphQLError, log: Log, requestId: string): GraphQLError {
  if (isThrownByResolver(error)) return maskError(error, log, requestId);
  const extensions = { code: 'BAD_USER_INPUT', http: { spec: true, status: 400 } };
  return toGraphqlError(error.message, error, extensions);
}

function isThrownByResolver({ originalError }: GraphQLError): boolean {
  if (originalError === undefined) return false;
  return !(originalError instanceof GraphQLError) || isThrownByResolver(originalError);
}

function domainExtensions(error: DomainError): Record<string, unknown> {
  const { code } = error;
  if (error instanceof InvalidInputError) return { code, issues: error.issues };
  const retryAfterMs = 'retryAfterMs' in error ? error.retryAfterMs : undefined;
  if (typeof retryAfterMs !== 'number') return { code };
  return { code, retryAfterSeconds: Math.ceil(retryAfterMs / 1000) };
}

function toGraphqlError(
  message: string,
  at: GraphQLError | null,
  extensions: Record<string, unknown>,
): GraphQLError {
  const { nodes, path } = at ?? {};
  return new GraphQLError(message, { nodes: nodes ?? null, path: path ?? null, extensions });
}
