import {
  createYoga,
  type GraphQLParams,
  getSSEProcessor,
  type Plugin,
  processRegularResult,
} from 'graphql-yoga';
import { HttpError } from '../../http/http-error.ts';
import type { DocumentOptions } from './document.ts';
import type { OperationContext } from './mask.ts';
import { createRunOperation, type Result, type RunOperation } from './run.ts';

/** Runs every operation, from its parameters to the bytes of its response. */
export interface Pipeline {
  /** Runs one operation. Throws HttpError and GraphQLError for an operation that is not executed. */
  run: (method: Method, parameters: unknown, context: OperationContext) => Promise<Result>;
  /** Encodes a result as one of the types that the client accepts, with its HTTP status. */
  encode: (result: Result, type: AnswerType) => Response | Promise<Response>;
}

/** The methods by which an operation can be sent. */
export type Method = keyof typeof REQUESTS;

/** The media types of a response. */
export type AnswerType =
  | 'application/json'
  | 'application/graphql-response+json'
  | 'text/event-stream';

/** Requests that tell Yoga the method. It reads no other property here. */
const REQUESTS = {
  GET: new Request('http://localhost/graphql'),
  POST: new Request('http://localhost/graphql', { method: 'POST' }),
};

/**
 * Creates the pipeline that every operation passes through. Yoga checks the parameters and encodes results;
 * `createRunOperation` does the rest. Yoga's HTTP layer is not used: it creates a `Request` and a `Response` for each
 * operation, which takes about 50 µs, as much as a small query takes altogether. Yoga's hooks for parse, validate and
 * execute are not used either; they would take 6 µs.
 */
export function createPipeline(options: DocumentOptions): Pipeline {
  const { getResultForParams, fetchAPI } = createYoga<OperationContext>({
    logging: false,
    cors: false,
    graphiql: false,
    landingPage: false,
    maskedErrors: false,
    plugins: [runWith(createRunOperation(options))],
  });
  const encodeEvents = getSSEProcessor();
  return {
    async run(method, parameters, context) {
      const params = checkParameters(parameters);
      return (await getResultForParams({ params, request: REQUESTS[method] }, context)) ?? {};
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

/**
 * Refuses requests without an operation, which Yoga would answer with status 200 as if an operation had failed. Yoga
 * checks the rest. Throws HttpError (400).
 */
function checkParameters(body: unknown): GraphQLParams {
  if (Array.isArray(body)) {
    throw badRequest('Batching is not supported. Send each operation in its own request.');
  }
  if (typeof body === 'object' && body !== null && 'query' in body) return body as GraphQLParams;
  throw badRequest('The body must be an object with a `query`.');
}

function badRequest(message: string): HttpError {
  return new HttpError(400, 'BAD_REQUEST', message);
}
