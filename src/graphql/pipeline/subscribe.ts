import { createSourceEventStream, type ExecutionArgs, type ExecutionResult } from 'graphql';
import { isAsyncIterable, type Plugin } from 'graphql-yoga';
import { mask, masked, type OperationContext, run } from './run.ts';

/**
 * Runs subscriptions with a context of its own for each event: loaders remember what they have read, and
 * would show the second event as the first found things. Errors are masked as in any answer.
 */
export function freshSubscriptions(): Plugin<object, OperationContext> {
  return {
    onSubscribe({ setSubscribeFn }) {
      setSubscribeFn(subscribe);
    },
  };
}

async function subscribe(
  args: ExecutionArgs,
): Promise<ExecutionResult | AsyncGenerator<ExecutionResult>> {
  const source = await createSourceEventStream(args);
  return isAsyncIterable(source) ? results(args, source) : masked(args, source);
}

/** One result for each event. What the source throws is the last one: the stream then completes. */
async function* results(
  args: ExecutionArgs,
  source: AsyncIterable<unknown>,
): AsyncGenerator<ExecutionResult> {
  try {
    for await (const rootValue of source) {
      const contextValue = { ...(args.contextValue as OperationContext), made: new Map() };
      yield run({ ...args, rootValue, contextValue });
    }
  } catch (error) {
    yield { errors: [mask(args, error)] };
  }
}
