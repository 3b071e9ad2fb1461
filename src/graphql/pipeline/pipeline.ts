import type { GraphQLParams } from 'graphql-yoga';
import { HttpError } from '../../http/http-error.ts';
import type { Manifest } from '../persisted/manifest.ts';
import { createResolveDocument } from '../persisted/persisted.ts';
import type { DocumentOptions } from './document.ts';
import { toExecutionResult } from './execute.ts';
import type { OperationContext } from './mask.ts';
import { createRunOperation, isResults, type Result } from './run.ts';
import { type AnswerType, createYogaLoader, type Method } from './yoga.ts';

/** Settings of the pipeline. */
export interface PipelineOptions extends DocumentOptions {
  /** The documents that the server runs; null: any. */
  manifest: Manifest | null;
}

/** Runs every operation, from its parameters to the bytes of its response. */
export interface Pipeline {
  /** Runs one operation. Throws HttpError and GraphQLError for an operation that is not executed. */
  run: (method: Method, parameters: unknown, context: OperationContext) => Promise<Result>;
  /** Encodes a result as one of the types that the client accepts, with its HTTP status. */
  encode: (result: Result, type: AnswerType) => Promise<Response>;
}

/**
 * Creates the pipeline that every operation passes through. `createRunOperation` runs it. Yoga writes the errors of
 * malformed parameters, and encodes the results that are not plain JSON: it is loaded for the first of these. Its HTTP
 * layer is not used: it creates a `Request` and a `Response` for each operation, which takes about 50 µs, as much as a
 * small query takes altogether. Yoga's hooks for parse, validate and execute are not used either; they would take 6 µs.
 */
export function createPipeline(options: PipelineOptions): Pipeline {
  const resolveDocument = createResolveDocument(options.manifest);
  const runOperation = createRunOperation(options);
  const loadYoga = createYogaLoader(runOperation);
  return {
    async run(method, parameters, context) {
      const { params: found, remember } = resolveDocument(
        checkBody(parameters),
        context.domain.viewer,
      );
      const params = checkParameters(found);
      const result = isWellFormed(params)
        ? await runOperation(params, method, context)
        : await loadYoga().then((yoga) => yoga.run(method, params, context));
      if (remember && isAccepted(result)) remember();
      return result;
    },
    async encode(result, type) {
      const yoga = await loadYoga();
      return yoga.encode(isResults(result) ? result : toExecutionResult(result), type);
    },
  };
}

/** Tells whether Yoga would find no fault in the parameters. The rare ones that it may also accept are left to it. */
function isWellFormed(params: GraphQLParams): boolean {
  for (const name in params) {
    const value: unknown = params[name as keyof GraphQLParams];
    const isText = name === 'query' || (name === 'operationName' && value != null);
    if (isText ? typeof value !== 'string' : !isOptionalObject(name, value)) return false;
  }
  return true;
}

function isOptionalObject(name: string, value: unknown): boolean {
  if (value == null) return true;
  const isKnown = name === 'variables' || name === 'extensions';
  return isKnown && typeof value === 'object' && !Array.isArray(value);
}

/** Tells whether an operation has been executed, and not refused before. */
function isAccepted(result: Result): boolean {
  return isResults(result) || 'data' in result;
}

/** Refuses what is not an object. Throws HttpError (400). */
function checkBody(body: unknown): object {
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body;
  throw badRequest(NO_QUERY);
}

/**
 * Refuses requests without an operation, which Yoga would answer with status 200 as if an operation had failed. Yoga
 * checks the rest. Throws HttpError (400).
 */
function checkParameters(params: Record<string, unknown>): GraphQLParams {
  if ('query' in params) return params as GraphQLParams;
  throw badRequest(NO_QUERY);
}

const NO_QUERY = 'The body must be an object with a `query`.';

function badRequest(message: string): HttpError {
  return new HttpError(400, 'BAD_REQUEST', message);
}
