import type { ExecutionArgs, ExecutionResult } from 'graphql';
import { createExecute } from '../execution/execute.ts';
import { schema } from '../schema.ts';
import { SHORTCUTS } from '../shortcuts.ts';
import { contextOf, maskResult } from './mask.ts';

const executeOneByOne = createExecute(schema);
const executeFast = createExecute(schema, SHORTCUTS);

/**
 * Executes an operation that is valid and within the limits. Masks its errors with the log and the id of its request.
 */
export async function execute(args: ExecutionArgs): Promise<ExecutionResult> {
  const context = contextOf(args);
  const isFast = context.domain.settings.isFastPathEnabled;
  return maskResult(await (isFast ? executeFast : executeOneByOne)(args), context);
}
