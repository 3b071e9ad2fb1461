import type { ExecutionArgs, ExecutionResult } from 'graphql';
import { createExecute } from '../execution/execute.ts';
import { schema } from '../schema.ts';
import { contextOf, maskResult } from './mask.ts';

const executeUnmasked = createExecute(schema);

/**
 * Executes an operation that is valid and within the limits. Masks its errors with the log and the id of its request.
 */
export async function execute(args: ExecutionArgs): Promise<ExecutionResult> {
  return maskResult(await executeUnmasked(args), contextOf(args));
}
