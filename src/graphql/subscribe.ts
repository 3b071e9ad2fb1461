import {
  createSourceEventStream,
  type ExecutionArgs,
  type ExecutionResult,
  execute,
} from 'graphql';
import { isAsyncIterable, type Plugin } from 'graphql-yoga';
import type { GraphqlContext } from './builder.ts';
import { maskError } from './mask.ts';

interface RequestContext extends GraphqlContext {
  requestId: string;
}

/**
 * Runs subscriptions with a context of its own for each event: loaders remember what they have read, and
 * would show the second event as the first found things. Errors are masked as in any answer.
 */
export function freshSubscriptions(): Plugin<object, RequestContext> {
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
      const contextValue = { ...(args.contextValue as RequestContext) };
      yield masked(args, await execute({ ...args, rootValue, contextValue }));
    }
  } catch (error) {
    yield { errors: [mask(args, error)] };
  }
}

function masked(args: ExecutionArgs, result: ExecutionResult): ExecutionResult {
  const errors = result.errors?.map((error) => mask(args, error));
  return errors ? { ...result, errors } : result;
}

function mask({ contextValue }: ExecutionArgs, error: unknown) {
  const { domain, requestId } = contextValue as RequestContext;
  return maskError(error, domain.log, requestId);
}
