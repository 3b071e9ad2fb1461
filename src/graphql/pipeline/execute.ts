import type { ExecutionArgs, ExecutionResult } from 'graphql';
import { createExecute, createExecuteToJson } from '../execution/execute.ts';
import type { JsonResult } from '../execution/json-execution.ts';
import { schema } from '../schema.ts';
import { SHORTCUTS } from '../shortcuts.ts';
import { contextOf, maskResult } from './mask.ts';

const executeOneByOne = createExecute(schema);
const executeFast = createExecuteToJson(schema, SHORTCUTS);

/**
 * Executes an operation that is valid and within the limits. Masks its errors with the log and the id of its request.
 * The data of a result without errors may be JSON already.
 */
export async function executeToJson(args: ExecutionArgs): Promise<ExecutionResult | JsonResult> {
  const context = contextOf(args);
  if (!context.domain.settings.isFastPathEnabled) {
    return maskResult(await executeOneByOne(args), args);
  }
  const result = await executeFast(args);
  return isJson(result) && result.errors === undefined
    ? result
    : maskResult(toExecutionResult(result), args);
}

/** Executes an operation likewise. Returns objects. */
export async function execute(args: ExecutionArgs): Promise<ExecutionResult> {
  return toExecutionResult(await executeToJson(args));
}

/** Tells whether the data of a result are JSON. */
export function isJson(result: ExecutionResult | JsonResult): result is JsonResult {
  return typeof result.data === 'string';
}

/** Returns a result whose data are objects. */
export function toExecutionResult(result: ExecutionResult | JsonResult): ExecutionResult {
  return isJson(result) ? { ...result, data: JSON.parse(result.data) } : result;
}
