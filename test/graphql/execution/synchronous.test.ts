import { type ExecutionResult, parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { createExecute } from '../../../src/graphql/execution/execute.ts';
import { createSchema, executeBoth } from '../../support/execution.ts';

const SDL = `
  interface Named { name: String }
  type Item implements Named { name: String must: Int! }
  type Query { value: Int nest: Query named: Named list: [Int] must: Int! take(n: Int!): Int }
  type Mutation { value: Int other: Int }
`;

const value = () => 1;
const promise = async () => 1;

/** Operations, and whether their result is a promise. */
const CASES: Record<string, { text: string; root?: object; isPromise: boolean }> = {
  'no such operation': { text: 'fragment F on Query { value }', isPromise: false },
  'a variable that is missing': { text: 'query ($n: Int!) { take(n: $n) }', isPromise: false },
  'fields that are values': {
    text: '{ value nest { value } list }',
    root: { value, nest: { value }, list: [1] },
    isPromise: false,
  },
  'fields that fail': {
    text: '{ value must }',
    root: { value: () => fail(), must: null },
    isPromise: false,
  },
  'a mutation of values': {
    text: 'mutation { value other }',
    root: { value, other: 2 },
    isPromise: false,
  },
  'a type that is found at once': {
    text: '{ named { name } }',
    root: { named: { name: 'a' } },
    isPromise: false,
  },
  'a promise': { text: '{ value }', root: { value: promise }, isPromise: true },
  'a promise below': {
    text: '{ nest { value } }',
    root: { nest: { value: promise } },
    isPromise: true,
  },
  'a promise in a list': {
    text: '{ list }',
    root: { list: () => [1, promise()] },
    isPromise: true,
  },
  'a rejected promise': { text: '{ value }', root: { value: async () => fail() }, isPromise: true },
  'a mutation with a promise in its first field': {
    text: 'mutation { value other }',
    root: { value: promise, other: 2 },
    isPromise: true,
  },
  'a mutation with a promise in its last field': {
    text: 'mutation { value other }',
    root: { value, other: promise },
    isPromise: true,
  },
  introspection: { text: '{ __schema { types { name fields { name } } } }', isPromise: false },
};

describe('the result of an operation', () => {
  for (const [name, { text, root, isPromise }] of Object.entries(CASES)) {
    it(`is ${isPromise ? 'a promise' : 'no promise'} with ${name}`, async () => {
      const schema = createSchema(SDL, { Named: { resolveType: () => 'Item' } });
      const execute = createExecute(schema);
      const result = execute({ schema, document: parse(text), rootValue: root });
      expect(result instanceof Promise).toBe(isPromise);
      await result;
      await executeBoth({ schema, text, root: () => root });
    });
  }

  it('is a promise with a type resolver that returns one', async () => {
    for (const functions of [
      { Named: { resolveType: async () => 'Item' } },
      { Item: { isTypeOf: async () => true } },
    ]) {
      const schema = createSchema(SDL, functions);
      const document = parse('{ named { name } }');
      const result = createExecute(schema)({
        schema,
        document,
        rootValue: { named: { name: 'a' } },
      });
      expect(result).toBeInstanceOf(Promise);
      expect(await result).toEqual({ data: { named: { name: 'a' } } });
    }
  });
});

it('promises are kept although a field beside them has failed at once', async () => {
  const unhandled: unknown[] = [];
  const note = (error: unknown) => void unhandled.push(error);
  process.on('unhandledRejection', note);
  try {
    const root = () => ({
      nest: () => ({
        value: async () => fail(),
        list: () => [Promise.reject(new Error('item'))],
        must: null,
      }),
      value: async () => fail(),
    });
    const { data } = await executeBoth({
      schema: SDL,
      text: '{ nest { value list must } value }',
      root,
    });
    expect(data).toEqual({ nest: null, value: null });
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(unhandled).toEqual([]);
  } finally {
    process.off('unhandledRejection', note);
  }
});

it('executions of one plan at the same time do not mix', async () => {
  const schema = createSchema(SDL, {
    Query: { take: async (_source: unknown, { n }: { n: number }) => slow(n) },
  });
  const execute = createExecute(schema);
  const document = parse('query ($n: Int!) { take(n: $n) nest { take(n: $n) } }');
  const results = await Promise.all(
    Array.from(
      { length: 9 },
      async (_, n): Promise<ExecutionResult> =>
        execute({ schema, document, variableValues: { n }, rootValue: { nest: {} } }),
    ),
  );
  expect(results).toEqual(results.map((_, n) => ({ data: { take: n, nest: { take: n } } })));
});

async function slow(n: number): Promise<number> {
  for (let tick = 0; tick < 10 - n; tick++) await null;
  return n;
}

function fail(): never {
  throw new Error('failed');
}
