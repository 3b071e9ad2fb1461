import { type ExecutionArgs, type ExecutionResult, GraphQLError } from 'graphql';
import type { Log } from '../../domain/context.ts';
import {
  DomainError,
  InsufficientStorageError,
  InvalidInputError,
  StorageUnavailableError,
} from '../../domain/error.ts';
import { toStorageError } from '../../domain/file/storage-failure.ts';
import { HttpError } from '../../http/http-error.ts';
import { httpStatus, publicMessage } from '../../http/status.ts';
import type { GraphqlContext } from '../builder.ts';

/** The context of one operation. */
export interface OperationContext extends GraphqlContext {
  requestId: string;
}

/** Returns the context of the operation that `args` describe. */
export function contextOf({ contextValue }: ExecutionArgs): OperationContext {
  return contextValue as OperationContext;
}

/** Returns the result as the client may see it. A result without `data` is a request error: execution never started. */
export function maskResult(result: ExecutionResult, context: OperationContext): ExecutionResult {
  if (result.errors === undefined) return result;
  const maskOne = 'data' in result ? maskError : maskRequestError;
  const errors = result.errors.map((error) =>
    maskOne(error, context.domain.log, context.requestId),
  );
  return { ...result, errors };
}

/**
 * Returns an error of the `errors` list as the client may see it. Errors of the client keep their message; anything
 * else is a bug, which is logged and masked.
 */
export function maskError(error: unknown, log: Log, requestId: string): GraphQLError {
  const graphqlError = error instanceof GraphQLError ? error : null;
  const cause = toStorageError(graphqlError?.originalError ?? error);
  if (cause instanceof DomainError) {
    if (isOfStorage(cause)) {
      // For the operator, who has to mend it.
      log.error({ err: cause }, 'resolver failed');
      const headers = { 'retry-after': String(cause.retryAfterMs / 1000) };
      const http = { status: httpStatus(cause), headers };
      return toGraphqlError(cause.message, graphqlError, { code: cause.code, http });
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

function isOfStorage(
  error: DomainError,
): error is InsufficientStorageError | StorageUnavailableError {
  return error instanceof InsufficientStorageError || error instanceof StorageUnavailableError;
}

function domainExtensions(error: DomainError): Record<string, unknown> {
  return error instanceof InvalidInputError
    ? { code: error.code, issues: error.issues }
    : { code: error.code };
}

function toGraphqlError(
  message: string,
  at: GraphQLError | null,
  extensions: Record<string, unknown>,
): GraphQLError {
  const { nodes, path } = at ?? {};
  return new GraphQLError(message, { nodes: nodes ?? null, path: path ?? null, extensions });
}
