import type { ExecutionArgs, ExecutionResult } from 'graphql';
import { createExecute } from '../execution/execute.ts';
import type { Batch } from '../execution/plan.ts';
import { exposedProperty } from '../needs.ts';
import { schema } from '../schema.ts';
import { contextOf, maskResult } from './mask.ts';

const executeOneByOne = createExecute(schema);
const executeFast = createExecute(schema, {
  batchOf: ({ extensions }) => extensions.batch as Batch | undefined,
  propertyOf: exposedProperty,
});

/**
 * Executes an operation that is valid and within the limits. Masks its errors with the log and the id of its request.
 */
export async function execute(args: ExecutionArgs): Promise<ExecutionResult> {
  const context = contextOf(args);
  const isFast = context.domain.settings.isFastPathEnabled;
  return maskResult(await (isFast ? executeFast : executeOneByOne)(args), context);
}
