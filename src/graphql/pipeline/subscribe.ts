import { createSourceEventStream, type ExecutionArgs, type ExecutionResult } from 'graphql';
import { isRetryable } from '../../http/status.ts';
import { execute } from './execute.ts';
import { causeOf, contextOf, maskError, maskResult } from './mask.ts';

/**
 * Runs a subscription with a new context for each event: loaders remember what they have read, and would show the state
 * of the first event for the second. Masks errors as in any other result.
 */
export async function subscribe(
  args: ExecutionArgs,
): Promise<ExecutionResult | AsyncGenerator<ExecutionResult>> {
  const context = contextOf(args);
  const refusal = new AbortController();
  const signal = () => AbortSignal.any([context.signal(), refusal.signal]);
  const source = await createSourceEventStream({ ...args, contextValue: { ...context, signal } });
  return Symbol.asyncIterator in source
    ? executeEach(args, source, refusal)
    : maskResult(source, args);
}

/**
 * Yields a result for each event. An error of the source, or of a credential that is no longer valid, is the last
 * result: the stream then completes. If the source is unavailable, events have been missed: throws the error, and the
 * stream ends as a lost connection does.
 */
async function* executeEach(
  args: ExecutionArgs,
  source: AsyncIterable<unknown>,
  refusal: AbortController,
): AsyncGenerator<ExecutionResult> {
  const context = contextOf(args);
  // Ends the source, which may be waiting for an event that never comes.
  const unwatch = context.watchViewer((error) => refusal.abort(error));
  try {
    for await (const rootValue of source) {
      // A revoked credential must not read on for as long as the stream lasts.
      await context.checkViewer();
      yield execute({ ...args, rootValue, contextValue: { ...context, made: new Map() } });
    }
    if (refusal.signal.aborted) throw refusal.signal.reason;
  } catch (error) {
    const cause = causeOf(error);
    if (isRetryable(cause)) throw cause;
    yield { errors: [maskError(error, context.domain.log, context.requestId)] };
  } finally {
    unwatch();
  }
}
