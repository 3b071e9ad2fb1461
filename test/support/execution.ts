import {
  buildSchema,
  type ExecutionArgs,
  type ExecutionResult,
  execute as executeByGraphqlJs,
  type GraphQLError,
  type GraphQLSchema,
  isObjectType,
  parse,
} from 'graphql';
import { expect } from 'vitest';
import {
  createExecute,
  createExecuteToJson,
  type ExecuteToJson,
} from '../../src/graphql/execution/execute.ts';

/** An operation and the input of its execution. */
export interface ExecutionCase extends Omit<ExecutionArgs, 'schema' | 'document' | 'rootValue'> {
  /** A schema, or its SDL. */
  schema: GraphQLSchema | string;
  text: string;
  /** Creates the root value of one execution. */
  root?: () => unknown;
}

/** A result as a client receives it: errors as JSON. */
export interface PlainResult {
  data?: unknown;
  errors?: object[];
}

/** Functions of the types of a schema: `{ Query: { media: resolve }, Media: { isTypeOf } }`. */
export type Functions = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** Builds a schema of SDL. A function named after a field resolves it; any other is set on the type itself. */
export function createSchema(sdl: string, functions: Functions): GraphQLSchema {
  const schema = buildSchema(sdl);
  for (const [name, ofType] of Object.entries(functions)) {
    const type = schema.getType(name);
    for (const [key, value] of Object.entries(ofType)) {
      const field = isObjectType(type) ? type.getFields()[key] : undefined;
      if (field) Object.assign(field, { resolve: value });
      else Object.assign(type ?? {}, { [key]: value });
    }
  }
  return schema;
}

/** How often `executeBoth` executes an operation. */
export const EXECUTIONS = 5;

/**
 * Executes an operation with graphql-js and with our executors, first to plan it and then from the plan. Fails if the
 * results differ, and returns them otherwise.
 */
export async function executeBoth({ schema, text, root, ...rest }: ExecutionCase) {
  const built = typeof schema === 'string' ? buildSchema(schema) : schema;
  const args = { ...rest, schema: built, document: parse(text) };
  const expected = await executeByGraphqlJs({ ...args, rootValue: root?.() });
  const execute = createExecute(built);
  const executeToJson = parsed(createExecuteToJson(built));
  for (const each of [execute, executeToJson, executeToJson]) {
    expectSameResult(await each({ ...args, rootValue: root?.() }), expected, text);
  }
  const actual = await execute({ ...args, rootValue: root?.() });
  expectSameResult(actual, expected, text);
  return JSON.parse(JSON.stringify(actual)) as PlainResult;
}

/** Returns an executor that parses the JSON of another one. */
export function parsed(execute: ExecuteToJson): (args: ExecutionArgs) => Promise<ExecutionResult> {
  return async (args) => {
    const { data, ...result } = await execute(args);
    if (data === undefined) return result;
    return { ...result, data: typeof data === 'string' ? JSON.parse(data) : data };
  };
}

/**
 * Expects the same data, and the same errors as far as GraphQL §6.4.4 defines them: if several errors would make the
 * same place null, timing decides which of them is reported. So the places that errors have made null have to be the
 * same, and errors with the same path have to be equal.
 */
export function expectSameResult(
  actual: ExecutionResult,
  expected: ExecutionResult,
  name?: string,
): void {
  // As text, because the order of the keys counts.
  expect(JSON.stringify(actual.data), name).toBe(JSON.stringify(expected.data));
  expect('data' in actual, name).toBe('data' in expected);
  expect('errors' in actual, name).toBe('errors' in expected);
  if (!('data' in expected)) {
    expect(actual.errors?.map(plain), name).toEqual(expected.errors?.map(plain));
    return;
  }
  expect(nullPlaces(actual), name).toEqual(nullPlaces(expected));
  const expectedErrors = new Map(expected.errors?.map((error) => [String(error.path), error]));
  for (const error of actual.errors ?? []) {
    const other = expectedErrors.get(String(error.path));
    if (other !== undefined) expect(plain(error), name).toEqual(plain(other));
  }
}

/** Paths of the nulls that errors have caused. */
function nullPlaces({ data, errors = [] }: ExecutionResult): string[] {
  const places = errors.map(({ path = [] }) => {
    const held: (string | number)[] = [];
    let value: unknown = data;
    for (const key of path) {
      if (value === null || value === undefined) break;
      value = (value as Record<string | number, unknown>)[key];
      held.push(key);
    }
    expect(value ?? null).toBeNull();
    return held.join('/');
  });
  return [...new Set(places)].sort();
}

function plain({ message, path, locations, extensions, originalError }: GraphQLError): object {
  const cause = originalError?.constructor.name;
  return { path, locations, extensions, cause, message: withoutValue(message) };
}

/** Removes the value that a resolver has returned from a message, because our messages omit it. */
function withoutValue(message: string): string {
  return message
    .replace(/^(Expected value of type "\w+") but got: .+\.$/s, '$1.')
    .replace(/^(Expected `\w+\.serialize\()[^`]*/s, '$1)')
    .replace(/(at runtime for field "\w+\.\w+")(,| with value) .*received .+/s, '$1');
}
