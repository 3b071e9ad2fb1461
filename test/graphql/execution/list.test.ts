import { describe, expect, it } from 'vitest';
import { executeBoth } from '../../support/execution.ts';

function* generate() {
  yield 'one';
  yield 2;
  yield true;
}

function* breakOff() {
  yield 'one';
  throw new Error('broken off');
}

function argumentsOf(..._args: string[]) {
  // biome-ignore lint/complexity/noArguments: an iterable of its own kind
  return arguments;
}

/** Values of a field of type [String], and its result: a list, or a part of the error message. */
const VALUES: Record<string, { value: unknown; result: (string | null)[] | string }> = {
  'an array': { value: ['a', 'b'], result: ['a', 'b'] },
  'an empty array': { value: [], result: [] },
  'an array with holes': { value: new Array(2), result: [null, null] },
  'a Set': { value: new Set(['a', 'b', 'a']), result: ['a', 'b'] },
  'the values of a Map': { value: new Map([[1, 'a']]).values(), result: ['a'] },
  'a generator function': { value: generate, result: ['one', '2', 'true'] },
  'the arguments of a function': { value: argumentsOf('a', 'b'), result: ['a', 'b'] },
  'a typed array': { value: new Uint8Array([1, 2]), result: ['1', '2'] },
  'a generator that throws': { value: breakOff, result: 'broken off' },
  'a string': { value: 'text', result: 'Expected Iterable' },
  'a String object': { value: Object('ab'), result: ['a', 'b'] },
  'a number': { value: 7, result: 'Expected Iterable' },
  'an object': { value: { length: 1, 0: 'a' }, result: 'Expected Iterable' },
  'an object whose iterator is no function': {
    value: { [Symbol.iterator]: 'none' },
    result: 'Expected Iterable',
  },
  'an async generator': { value: async function* () {}, result: 'Expected Iterable' },
};

describe('the value of a list can be', () => {
  for (const [name, { value, result }] of Object.entries(VALUES)) {
    it(`${name}${typeof result === 'string' ? ', which is an error' : ''}`, async () => {
      const schema = 'type Query { list: [String] }';
      // A generator can be read once.
      const root = () => ({ list: name.includes('Map') ? new Map([[1, 'a']]).values() : value });
      const { data, errors } = await executeBoth({ schema, text: '{ list }', root });
      if (typeof result === 'string') {
        expect(data).toEqual({ list: null });
        expect(errors).toMatchObject([
          { message: expect.stringContaining(result), path: ['list'] },
        ]);
      } else {
        expect(data).toEqual({ list: result });
      }
    });
  }
});

const NULLABILITIES = ['[Int]', '[Int]!', '[Int!]', '[Int!]!'] as const;
const BAD = new Error('bad');

const HOLE = [1, null, 2];
const NULL_ERROR = 'Cannot return null for non-nullable field Query.list.';

interface Content {
  value: unknown;
  /** For each nullability: the result, or 'none' where `data` is null. */
  results: unknown[];
  error?: { message: string; path: unknown[]; isAt: boolean[] };
}

const ALWAYS = [true, true, true, true];

const CONTENTS: Record<string, Content> = {
  values: { value: [1, 2], results: NULLABILITIES.map(() => [1, 2]) },
  'a null': {
    value: [1, null, 2],
    results: [HOLE, HOLE, null, 'none'],
    error: { message: NULL_ERROR, path: ['list', 1], isAt: [false, false, true, true] },
  },
  'an undefined': {
    value: [1, undefined, 2],
    results: [HOLE, HOLE, null, 'none'],
    error: { message: NULL_ERROR, path: ['list', 1], isAt: [false, false, true, true] },
  },
  'an Error': {
    value: [1, BAD, 2],
    results: [HOLE, HOLE, null, 'none'],
    error: { message: 'bad', path: ['list', 1], isAt: ALWAYS },
  },
  'a value of another type': {
    value: [1, 'x', 2],
    results: [HOLE, HOLE, null, 'none'],
    error: {
      message: 'Int cannot represent non-integer value: "x"',
      path: ['list', 1],
      isAt: ALWAYS,
    },
  },
  'null as a whole': {
    value: null,
    results: [null, 'none', null, 'none'],
    error: { message: NULL_ERROR, path: ['list'], isAt: [false, true, false, true] },
  },
  'an Error as a whole': {
    value: BAD,
    results: [null, 'none', null, 'none'],
    error: { message: 'bad', path: ['list'], isAt: ALWAYS },
  },
};

describe('a list with', () => {
  for (const [name, { value, results, error }] of Object.entries(CONTENTS)) {
    for (const [index, type] of NULLABILITIES.entries()) {
      it(`${name} as ${type}, with and without promises`, async () => {
        const expected = results[index];
        const { message, path, isAt } = error ?? {};
        const errors = isAt?.[index]
          ? [{ message, path, locations: [{ line: 1, column: 3 }] }]
          : undefined;
        for (const list of [value, promised(value), items(value), promised(items(value))]) {
          const schema = `type Query { list: ${type} }`;
          // A function, because a rejected promise has to be new for each execution.
          const root = () => ({ list: () => (typeof list === 'function' ? list() : list) });
          const result = await executeBoth({ schema, text: '{ list }', root });
          const data = expected === 'none' ? null : { list: expected };
          expect(result).toEqual({ data, ...(errors && { errors }) });
        }
      });
    }
  }
});

it('a list in a list has its nulls and errors at its own indexes', async () => {
  const schema = 'type Query { matrix: [[Int!]]! }';
  const root = () => ({ matrix: [[1], [2, null], null, async () => [3], [Promise.resolve(4)]] });
  const { data, errors } = await executeBoth({ schema, text: '{ matrix }', root });
  expect(data).toEqual({ matrix: [[1], null, null, null, [4]] });
  expect(errors).toMatchObject([{ path: ['matrix', 1, 1] }, { path: ['matrix', 3] }]);
});

it('errors of promises in a list that has failed since are not reported', async () => {
  const schema = 'type Query { list: [Item] } type Item { name: String! }';
  function* list() {
    yield { name: async () => Promise.reject(new Error('of an item')) };
    throw new Error('of the list');
  }
  const { data, errors } = await executeBoth({
    schema,
    text: '{ list { name } }',
    root: () => ({ list }),
  });
  expect(data).toEqual({ list: null });
  expect(errors).toMatchObject([{ message: 'of the list', path: ['list'] }]);
});

/** A function that promises the value, or rejects with it if it is an error. */
function promised(value: unknown): () => Promise<unknown> {
  return async () => {
    const settled = typeof value === 'function' ? value() : value;
    if (settled instanceof Error) throw settled;
    return settled;
  };
}

/** A function that returns the list with a promise for each item. */
function items(value: unknown): () => unknown {
  return () => (Array.isArray(value) ? value.map((item) => promised(item)()) : value);
}
