import { GraphQLError } from 'graphql';
import { HttpError } from '../../http/http-error.ts';
import type { Cost } from './cost.ts';
import { checkCost } from './limit.ts';
import type { OperationContext } from './mask.ts';
import { isResults, type Result, type SingleResult } from './run.ts';

/** Maximum number of operations in one request. */
const BATCH_MAX = 10;

/** The part of a context in which the operations of a batch differ from others. */
type BatchRules = Required<Pick<OperationContext, 'spend' | 'takeStreamSlot'>>;

/** How a batch is run. */
interface BatchOptions {
  runOne: (parameters: unknown, rules: BatchRules) => Promise<Result>;
  /** Returns an error as the result of its operation. */
  toResult: (error: unknown) => SingleResult;
  /** Counts an operation as a request. Throws TooManyRequestsError. */
  count: () => Promise<void>;
}

/**
 * Runs the operations of a batch one after the other, so that a client can rely on the order of its changes. One that
 * fails is its own result. Throws HttpError (400) for a batch of the wrong size, and TooManyRequestsError, before any of
 * them runs.
 */
export async function runBatch(
  batch: readonly unknown[],
  { runOne, toResult, count }: BatchOptions,
): Promise<SingleResult[]> {
  checkSize(batch);
  // The request itself has been counted.
  for (const _ of batch.slice(1)) await count();
  const rules = createBatchRules();
  const results: SingleResult[] = [];
  for (const parameters of batch) {
    const result = await runOne(parameters, rules).catch(toResult);
    if (isResults(result)) throw new Error('A batch has no subscriptions.');
    results.push(result);
  }
  return results;
}

function checkSize(batch: readonly unknown[]): void {
  if (batch.length >= 1 && batch.length <= BATCH_MAX) return;
  const message = `A batch has 1 to ${BATCH_MAX} operations, not ${batch.length}.`;
  throw new HttpError(400, 'BAD_REQUEST', message);
}

/**
 * Creates the rules of one batch: all of its operations together may cost as much as one alone, and none of them is a
 * subscription, which has more than one result.
 */
function createBatchRules(): BatchRules {
  const before = { cost: 0, counts: 0 };
  return {
    spend(cost: Cost) {
      checkCost(cost, before);
      before.cost += cost.cost;
      before.counts += cost.counts;
    },
    takeStreamSlot() {
      const message = 'A subscription cannot be part of a batch. Send it in its own request.';
      throw new GraphQLError(message, { extensions: { code: 'BAD_REQUEST' } });
    },
  };
}
