import {
  type DocumentNode,
  type ExecutionResult,
  GraphQLError,
  getOperationAST,
  type OperationDefinitionNode,
  OperationTypeNode,
} from 'graphql';
import type { GraphQLParams } from 'graphql-yoga';
import type { JsonResult } from '../execution/json-execution.ts';
import { schema } from '../schema.ts';
import { createCostMeter } from './cost.ts';
import { createDocuments, type DocumentOptions } from './document.ts';
import { executeToJson } from './execute.ts';
import { checkCost, LIMITS } from './limit.ts';
import type { OperationContext } from './mask.ts';
import { subscribe } from './subscribe.ts';

/** Each error of a variable describes its whole value. */
const COERCION_ERRORS_MAX = 5;

/** The result of an operation, or the results of a subscription as they arise. */
export type Result = SingleResult | AsyncIterable<ExecutionResult>;

/** The result of an operation, whose data may be JSON. */
export type SingleResult = ExecutionResult | (JsonResult & Pick<ExecutionResult, 'extensions'>);

/** Tells whether a result stands for the results of a subscription. */
export function isResults(result: Result): result is AsyncIterable<ExecutionResult> {
  return Symbol.asyncIterator in result;
}

/** Tells whether an operation has been refused before it was executed. */
export function isRefused(result: Result): result is { errors: readonly GraphQLError[] } {
  return !isResults(result) && !('data' in result) && result.errors !== undefined;
}

/** Runs an operation. Throws GraphQLError if it cannot be executed, and TooManyRequestsError. */
export type RunOperation = (
  params: GraphQLParams,
  method: string,
  context: OperationContext,
) => Promise<Result>;

/**
 * Creates the function that runs operations: it parses, checks the limits, validates, checks the cost, and executes. An
 * operation beyond a limit is refused with HTTP 400 before any resolver runs. The cost is measured for every request,
 * because it depends on variables.
 */
export function createRunOperation(options: DocumentOptions): RunOperation {
  const documents = createDocuments(options);
  const measureCost = createCostMeter();
  return async ({ query = '', operationName, variables }, method, contextValue) => {
    const document = documents.parse(query);
    const operation = findOperation(document, operationName, method);
    const errors = documents.validate(document, contextValue.domain.viewer);
    if (errors.length > 0) return { errors };
    const args = {
      ...{ schema, document, contextValue, operationName, variableValues: variables },
      options: { maxCoercionErrors: COERCION_ERRORS_MAX },
    };
    const cost = measureCost(args);
    (contextValue.spend ?? checkCost)(cost);
    const isSubscription = operation.operation === OperationTypeNode.SUBSCRIPTION;
    if (isSubscription) openStream(contextValue);
    const { observer } = contextValue.domain;
    const described = { type: operation.operation, name: operation.name?.value ?? null };
    const result = await observer.graphql<Result>(described, () =>
      isSubscription ? subscribe(args) : executeToJson(args),
    );
    if (!isResults(result)) return withCost(result, cost.cost);
    const { mapAsyncIterator } = await import('graphql-yoga');
    return mapAsyncIterator(result, (event) => withCost(event, cost.cost));
  };
}

/** Takes a slot for a subscription, and counts it until it ends. Throws TooManyRequestsError. */
function openStream({ domain, takeStreamSlot, signal }: OperationContext): void {
  try {
    takeStreamSlot();
  } catch (error) {
    domain.observer.refused('subscriptions');
    throw error;
  }
  const end = domain.observer.subscription();
  const ended = signal();
  if (ended.aborted) end();
  else ended.addEventListener('abort', end, { once: true });
}

function findOperation(
  document: DocumentNode,
  operationName: string | undefined,
  method: string,
): OperationDefinitionNode {
  const operation = getOperationAST(document, operationName);
  if (!operation) {
    const message = '`operationName` must name one operation of the document.';
    const extensions = { code: 'OPERATION_RESOLUTION_FAILURE', http: { status: 400 } };
    throw new GraphQLError(message, { extensions });
  }
  if (operation.operation === OperationTypeNode.MUTATION && method === 'GET') {
    const http = { status: 405, headers: { Allow: 'POST' } };
    const message = 'A mutation must be sent with POST.';
    throw new GraphQLError(message, { extensions: { code: 'BAD_REQUEST', http } });
  }
  return operation;
}

function withCost<R extends SingleResult>(result: R, requested: number): R {
  const cost = { requested, limit: LIMITS.cost };
  return { ...result, extensions: { ...result.extensions, cost } };
}
