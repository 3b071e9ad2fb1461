import { GraphQLError } from 'graphql';
import type { Log } from '../../domain/context.ts';
import { DomainError, InvalidInputError } from '../../domain/error.ts';

/**
 * What a client may see of an error that is no member of a result: mistakes of its own, told as they are;
 * anything else is a bug, logged and masked.
 */
export function maskError(error: unknown, log: Log, requestId: string): GraphQLError {
  const graphqlError = error instanceof GraphQLError ? error : null;
  const cause = graphqlError?.originalError ?? error;
  if (cause instanceof DomainError)
    return withExtensions(cause, graphqlError, domainExtensions(cause));
  if (isClientError(cause)) {
    const http = { status: cause.status };
    return withExtensions(cause, graphqlError, { code: 'BAD_REQUEST', http });
  }
  if (graphqlError !== null && graphqlError.originalError === undefined) return graphqlError;
  log.error({ err: cause }, 'resolver failed');
  const masked = new Error('Internal server error.');
  return withExtensions(masked, graphqlError, { code: 'INTERNAL', requestId });
}

function domainExtensions(error: DomainError): Record<string, unknown> {
  return error instanceof InvalidInputError
    ? { code: error.code, issues: error.issues }
    : { code: error.code };
}

function withExtensions(
  { message }: Error,
  at: GraphQLError | null,
  extensions: Record<string, unknown>,
): GraphQLError {
  const { nodes, path } = at ?? {};
  return new GraphQLError(message, { nodes: nodes ?? null, path: path ?? null, extensions });
}

/** Of the multipart parser: it says what is wrong with the request. */
function isClientError(error: unknown): error is Error & { status: number } {
  return (
    error instanceof Error &&
    'status' in error &&
    typeof error.status === 'number' &&
    error.status < 500
  );
}
