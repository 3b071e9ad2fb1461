import type { ExecutionResult, GraphQLError } from 'graphql';
import { isJson } from './execute.ts';
import type { SingleResult } from './run.ts';

/** Returns a result as JSON. Leaves out what errors say about HTTP, which is for the server itself. */
export function resultToJson(result: SingleResult): string {
  if (!isJson(result)) return JSON.stringify(toWire(result));
  const { data, extensions } = result;
  return extensions === undefined
    ? `{"data":${data}}`
    : `{"data":${data},"extensions":${JSON.stringify(extensions)}}`;
}

/** Returns errors as JSON likewise. */
export function errorsToJson(errors: readonly GraphQLError[]): string {
  return JSON.stringify(errors.map(toWireError));
}

function toWire({ errors, extensions, ...rest }: ExecutionResult) {
  return {
    ...(errors && { errors: errors.map(toWireError) }),
    ...rest,
    ...(extensions && { extensions: withoutHttp(extensions) }),
  };
}

function toWireError(error: GraphQLError) {
  const { extensions, ...rest } = error.toJSON();
  return { ...rest, ...(extensions && { extensions: withoutHttp(extensions) }) };
}

function withoutHttp({ http, ...extensions }: Record<string, unknown>) {
  return extensions;
}
