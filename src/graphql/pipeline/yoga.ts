import type { GraphQLParams, Plugin } from 'graphql-yoga';
import type { OperationContext } from './mask.ts';
import type { Result, RunOperation } from './run.ts';

/** The methods by which an operation can be sent. */
export type Method = 'GET' | 'POST';

/** The media types of a response. */
export type AnswerType =
  | 'application/json'
  | 'application/graphql-response+json'
  | 'text/event-stream';

/** The parts of Yoga that the pipeline uses. */
export interface Yoga {
  /** Checks the parameters, then runs the operation. Throws the GraphQLError of malformed parameters. */
  run: (method: Method, params: GraphQLParams, context: OperationContext) => Promise<Result>;
  /** Encodes a result as one of the types that the client accepts, with its HTTP status. */
  encode: (result: Result, type: AnswerType) => Response | Promise<Response>;
}

/**
 * Creates a function that loads Yoga when it is first called: its 450 files take a fifth of the start, and most
 * operations need none of them.
 */
export function createYogaLoader(runOperation: RunOperation): () => Promise<Yoga> {
  let loading: Promise<Yoga> | undefined;
  return () => {
    loading ??= load(runOperation);
    return loading;
  };
}

async function load(runOperation: RunOperation): Promise<Yoga> {
  const { createYoga, getSSEProcessor, processRegularResult } = await import('graphql-yoga');
  const { getResultForParams, fetchAPI } = createYoga<OperationContext>({
    logging: false,
    cors: false,
    graphiql: false,
    landingPage: false,
    maskedErrors: false,
    plugins: [runWith(runOperation)],
  });
  const encodeEvents = getSSEProcessor();
  // These tell Yoga the method. It reads no other property of them here.
  const requests = {
    GET: new Request('http://localhost/graphql'),
    POST: new Request('http://localhost/graphql', { method: 'POST' }),
  };
  return {
    async run(method, params, context) {
      return (await getResultForParams({ params, request: requests[method] }, context)) ?? {};
    },
    encode: (result, type) =>
      type === 'text/event-stream'
        ? encodeEvents(result, fetchAPI, type)
        : processRegularResult(result, fetchAPI, type),
  };
}

/** Makes Yoga run operations with `runOperation` when it has checked their parameters. */
function runWith(runOperation: RunOperation): Plugin<object, OperationContext> {
  return {
    onParams({ setParamsHandler }) {
      setParamsHandler(({ params, request, context }) =>
        runOperation(params, request.method, context),
      );
    },
  };
}
