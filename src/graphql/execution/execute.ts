import {
  assertValidSchema,
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  execute as executeByGraphqlJs,
  type GraphQLError,
  type GraphQLSchema,
  getVariableValues,
} from 'graphql';
import { Execution } from './execution.ts';
import { JsonExecution, type JsonResult } from './json-execution.ts';
import { type OperationPlan, planOperation, type Shortcuts, type Variables } from './plan.ts';

/** Executes an operation of a valid document. Returns a promise only if the result depends on one. */
export type Execute = (args: ExecutionArgs) => ExecutionResult | Promise<ExecutionResult>;

/** Does the same, and writes the data as JSON, unless the request itself has errors. */
export type ExecuteToJson = (args: ExecutionArgs) => Promise<ExecutionResult | JsonResult>;

/**
 * Returns an executor for one schema, with the results and errors of graphql-js. It plans an operation once for each
 * document, and writes the value of a promise straight to its place in the response, without a promise for each object
 * above it: a page of a list takes half the processor time. Throws if the schema is invalid.
 *
 * It differs from graphql-js in four ways. Errors inside an object are not reported once a null has replaced the
 * object. A response waits for all promises, also for those inside such an object. The executor's own messages about a
 * wrong value leave out the value, which may be secret or large. `info` has getters instead of own properties, so that
 * a spread of it is empty.
 */
export function createExecute(schema: GraphQLSchema): Execute {
  const prepare = createPrepare(schema);
  return (args) => {
    const { plan, variables, errors } = prepare(args);
    if (errors !== undefined) return { errors };
    // graphql-js reports what is wrong with the request.
    if (plan === undefined) return executeByGraphqlJs({ ...args, schema });
    return new Execution(plan, args, variables).run();
  };
}

/**
 * Returns an executor with the same results, whose data are JSON. It resolves a field for many objects at once, with one
 * promise for a level of the response, and takes the shortcuts, if there are any.
 */
export function createExecuteToJson(schema: GraphQLSchema, shortcuts?: Shortcuts): ExecuteToJson {
  const prepare = createPrepare(schema, shortcuts);
  return async (args) => {
    const { plan, variables, errors } = prepare(args);
    if (errors !== undefined) return { errors };
    if (plan === undefined) return executeByGraphqlJs({ ...args, schema });
    return new JsonExecution(plan, args, variables).run();
  };
}

/** The plan of a request and the values of its variables, or its errors. No plan: the request is malformed. */
interface Prepared {
  plan?: OperationPlan;
  variables: Variables;
  errors?: readonly GraphQLError[];
}

function createPrepare(
  schema: GraphQLSchema,
  shortcuts?: Shortcuts,
): (args: ExecutionArgs) => Prepared {
  assertValidSchema(schema);
  const plans = new WeakMap<DocumentNode, Map<string | null, OperationPlan>>();
  const planOf = (document: DocumentNode, operationName: string | null) => {
    const known = plans.get(document)?.get(operationName);
    if (known !== undefined) return known;
    const plan = planOperation(schema, document, operationName, shortcuts);
    if (plan === undefined) return undefined;
    if (!plans.has(document)) plans.set(document, new Map());
    plans.get(document)?.set(operationName, plan);
    return plan;
  };
  return ({ document, operationName, variableValues, options, hideSuggestions }) => {
    const isComplete = document && typeof (variableValues ?? {}) === 'object';
    const plan = isComplete ? planOf(document, operationName ?? null) : undefined;
    if (plan === undefined) return { variables: {} };
    const { variableDefinitions = [] } = plan.operation;
    const { coerced, errors } = getVariableValues(
      schema,
      variableDefinitions,
      variableValues ?? {},
      {
        maxErrors: options?.maxCoercionErrors ?? 50,
        hideSuggestions: hideSuggestions ?? false,
      },
    );
    return errors ? { plan, variables: {}, errors } : { plan, variables: coerced };
  };
}
