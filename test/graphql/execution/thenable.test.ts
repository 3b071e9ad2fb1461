import { parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { createExecute } from '../../../src/graphql/execution/execute.ts';
import { createSchema, executeBoth } from '../../support/execution.ts';

const SDL = `
  type Query { object: Object  must: Must! list: [Object] other: String }
  type Object { value: String  list: [String] inner: Object other: String }
  type Must { value: String! }
`;

/** Not written as `then`, which the linter reports as a mistake. */
const THEN = 'then';

/** Values that have a `then`, and the result of a field with such a value. */
const THENABLES: Record<string, { create: () => unknown; result: string | RegExp }> = {
  'a promise': { create: () => Promise.resolve('kept'), result: 'kept' },
  'a rejected promise': {
    create: () => Promise.reject(new Error('rejected')),
    result: /^rejected$/,
  },
  'a subclass of Promise': {
    create: () => new (class extends Promise<string> {})((resolve) => resolve('kept')),
    result: 'kept',
  },
  'an object whose `then` calls back later': {
    create: () => ({
      [THEN]: (onValue: (value: string) => unknown, onError: (error: unknown) => unknown) =>
        Promise.resolve('kept').then(onValue, onError),
    }),
    result: 'kept',
  },
  'an object whose `then` throws': {
    create: () => ({
      [THEN]: () => {
        throw new Error('then throws');
      },
    }),
    result: /^then throws$/,
  },
  'an object with a getter of `then` that throws': {
    create: () => ({
      get [THEN]() {
        throw new Error('the getter throws');
      },
    }),
    result: /^the getter throws$/,
  },
  'a promise whose own `then` throws': {
    create: () =>
      Object.assign(Promise.resolve('kept'), {
        [THEN]: () => {
          throw new Error('then throws');
        },
      }),
    result: /^then throws$/,
  },
  'a function with a `then` that throws': {
    create: () =>
      Object.assign(() => 'called', {
        [THEN]: () => {
          throw new Error('then throws');
        },
      }),
    result: /^then throws$/,
  },
};

/** Documents that select such a value, and the path of its place. */
const PLACES: Record<string, { text: string; path: string }> = {
  'in an object': { text: '{ object { value other } other }', path: 'object.value' },
  'in an object in an object': {
    text: '{ object { inner { value } other } other }',
    path: 'object.inner.value',
  },
  'in a list': { text: '{ object { list other } other }', path: 'object.list.1' },
  'in objects of a list': { text: '{ list { value other } other }', path: 'list.0.value' },
  'where null is not allowed': { text: '{ other must { value } }', path: 'must.value' },
};

for (const [name, { create, result }] of Object.entries(THENABLES)) {
  describe(name, () => {
    for (const [where, { text, path }] of Object.entries(PLACES)) {
      it(where, async () => {
        const schema = schemaOf(create);
        const { data, errors = [] } = await executeBoth({ schema, text });
        const error = errors.find(
          (each) => 'path' in each && String(each.path) === path.replaceAll('.', ','),
        );
        if (result instanceof RegExp)
          expect(error).toMatchObject({ message: expect.stringMatching(result) });
        else expect(errors).toEqual([]);
        if (typeof result === 'string') expect(data).toHaveProperty(path, result);
      });
    }
  });
}

it('a `then` that calls back at once, twice, and throws has its first value', async () => {
  const thenable = () => ({
    [THEN]: (onValue: (value: string) => void) => {
      onValue('first');
      onValue('second');
      throw new Error('too late');
    },
  });
  const schema = schemaOf(thenable);
  const document = parse('{ object { value } other }');
  const { data, errors } = await createExecute(schema)({ schema, document });
  expect(errors).toBeUndefined();
  expect(data).toEqual({ object: { value: 'first' }, other: 'other' });
});

it('a field of a mutation with a `then` that throws does not stop the next field', async () => {
  const schema = createSchema('type Query { a: Int } type Mutation { broken: Int next: Int }', {
    Mutation: {
      broken: THENABLES['a promise whose own `then` throws']?.create,
      next: async () => 2,
    },
  });
  const text = 'mutation { first: next broken next }';
  const { data } = await executeBoth({ schema, text });
  expect(data).toEqual({ first: 2, broken: null, next: 2 });
});

function schemaOf(create: () => unknown) {
  const other = async () => 'other';
  const list = () => ['a', create(), 'c'];
  return createSchema(SDL, {
    Query: { object: async () => ({}), must: async () => ({}), list: () => [{}, {}], other },
    Object: { value: create, list, inner: () => ({}), other },
    Must: { value: create },
  });
}
