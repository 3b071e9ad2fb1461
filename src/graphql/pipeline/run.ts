import { type ExecutionArgs, type ExecutionResult, GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { GraphqlContext } from '../builder.ts';
import { createExecute } from '../execution/execute.ts';
import { schema } from '../schema.ts';
import { maskError } from './mask.ts';

/** What an operation is run with. */
export interface OperationContext extends GraphqlContext {
  /** Yoga puts its own request over ours before it executes: what is needed then is beside it. */
  requestId: string;
}

const execute = createExecute(schema);

/** Runs an operation that is valid and within the limits. Errors are masked with the log and the id of its request. */
export async function run(args: ExecutionArgs): Promise<ExecutionResult> {
  return masked(args, await execute(args));
}

/** The result as a client may see it. One without data is no result: the operation was not begun. */
export function masked(args: ExecutionArgs, result: ExecutionResult): ExecutionResult {
  const toldOf = 'data' in result ? mask : maskRequestError;
  const errors = result.errors?.map((error) => toldOf(args, error));
  return errors ? { ...result, errors } : result;
}

/** What is wrong with the variables is told, and has the status that Yoga gives what is not valid. */
function maskRequestError(args: ExecutionArgs, error: GraphQLError): GraphQLError {
  if (!isOfGraphql(error)) return mask(args, error);
  const extensions = { code: 'BAD_USER_INPUT', http: { spec: true, status: 400 } };
  return new GraphQLError(error.message, { nodes: error.nodes ?? null, extensions });
}

/** Whether no resolver has thrown it. */
function isOfGraphql({ originalError }: GraphQLError): boolean {
  if (originalError === undefined) return true;
  return originalError instanceof GraphQLError && isOfGraphql(originalError);
}

/** An error as a client may see it. */
export function mask({ contextValue }: ExecutionArgs, error: unknown) {
  const { domain, requestId } = contextValue as OperationContext;
  return maskError(error, domain.log, requestId);
}

/** Makes Yoga run operations like this. */
export function ownExecution(): Plugin<object, OperationContext> {
  return { onExecute: ({ setExecuteFn }) => setExecuteFn(run) };
}
