import {
  GraphQLError,
  type GraphQLFieldResolver,
  type GraphQLResolveInfo,
  type OperationDefinitionNode,
  parse,
} from 'graphql';
import { describe, expect, it } from 'vitest';
import { createExecute } from '../../../src/graphql/execution/execute.ts';
import { createSchema, EXECUTIONS, executeBoth } from '../../support/execution.ts';

const SDL = `
  scalar Odd
  enum Color { RED GREEN }
  type Query {
    value: String  number: Int  color: Color  odd: Odd  id: ID  yes: Boolean  ratio: Float
    nest: Query  nests: [Query!]  echo(text: String, first: Int): String
  }
`;

class Source {
  value = 'own';
  #secret = 'private';
  get number() {
    return 7;
  }
  id() {
    return this.#secret;
  }
}

/** Sources of `{ value number id }`, and its data without nulls. */
const SOURCES: Record<string, { source: unknown; data: object }> = {
  'an object with values': { source: { value: 'a', number: 1 }, data: { value: 'a', number: 1 } },
  'an object with functions': {
    source: { value: () => 'a', number: async () => 1 },
    data: { value: 'a', number: 1 },
  },
  'an instance of a class': {
    source: new Source(),
    data: { value: 'own', number: 7, id: 'private' },
  },
  'an object without a prototype': {
    source: Object.assign(Object.create(null), { value: 'a' }),
    data: { value: 'a' },
  },
  'a function': { source: Object.assign(() => 'called', { value: 'a' }), data: { value: 'a' } },
  'a number': { source: 7, data: {} },
  'a text': { source: 'text', data: {} },
};

describe('a field without a resolver reads a property of', () => {
  for (const [name, { source, data }] of Object.entries(SOURCES)) {
    it(name, async () => {
      // A function would be called by the resolver of `nest` as well.
      const schema = createSchema(SDL, { Query: { nest: () => source } });
      const result = await executeBoth({ schema, text: '{ nest { value number id } }' });
      expect(result).toEqual({ data: { nest: { value: null, number: null, id: null, ...data } } });
    });
  }

  it('nothing as the root value', async () => {
    expect(await executeBoth({ schema: SDL, text: '{ value }' })).toEqual({
      data: { value: null },
    });
  });
});

it('a function of a source is called with the arguments, the context and the info', async () => {
  const root = () => ({
    prefix: 'p:',
    echo(args: object, context: object, { fieldName }: GraphQLResolveInfo) {
      return this.prefix + JSON.stringify([args, context, fieldName]);
    },
  });
  const text = '{ echo(first: 2, text: "a") }';
  const { data } = await executeBoth({ schema: SDL, text, root, contextValue: { user: 1 } });
  expect(data).toEqual({ echo: 'p:[{"text":"a","first":2},{"user":1},"echo"]' });
});

it('a resolver gets the source, the arguments that are set, and the context', async () => {
  const calls: unknown[][] = [];
  const echo: GraphQLFieldResolver<unknown, unknown> = (source, args, context) => {
    calls.push([source, args, context]);
  };
  const schema = createSchema(SDL, { Query: { echo } });
  const root = { is: 'the root' };
  const contextValue = { is: 'the context' };
  const text = 'query ($none: Int) { echo(text: null, first: $none) }';
  await executeBoth({ schema, text, root: () => root, contextValue });
  const call = [root, { text: null }, contextValue];
  expect(calls).toEqual(Array.from({ length: EXECUTIONS }, () => call));
  expect(calls.every(([source, , context]) => source === root && context === contextValue)).toBe(
    true,
  );
});

it('the field resolver of the operation serves fields without one of their own', async () => {
  const schema = createSchema(SDL, { Query: { number: () => 7 } });
  const fieldResolver = (
    _source: unknown,
    _args: unknown,
    _context: unknown,
    info: GraphQLResolveInfo,
  ) => `field ${info.fieldName}`;
  const { data } = await executeBoth({ schema, text: '{ value number }', fieldResolver });
  expect(data).toEqual({ value: 'field value', number: 7 });
});

it('a resolver can read the state of the execution', async () => {
  const infos: GraphQLResolveInfo[] = [];
  const value: GraphQLFieldResolver<unknown, unknown> = (_source, _args, _context, info) =>
    void infos.push(info);
  const schema = createSchema(SDL, { Query: { value } });
  const root = { nests: [{ nest: {} }] };
  const text = `query Q($v: String) { list: nests { nest { v: value v: value } } }
    fragment F on Query { value }`;
  await executeBoth({ schema, text, root: () => root, variableValues: { v: 'given' } });
  const keys = [
    'fieldName',
    'returnType',
    'parentType',
    'path',
    'rootValue',
    'variableValues',
  ] as const;
  const [expected, ...actual] = infos.map((info) => ({
    ...Object.fromEntries(keys.map((key) => [key, info[key]])),
    schema: info.schema === schema,
    nodes: info.fieldNodes.map(({ loc }) => loc?.start),
    operation: info.operation.name?.value,
    fragments: Object.keys(info.fragments),
  }));
  expect(expected).toMatchObject({
    fieldName: 'value',
    path: {
      key: 'v',
      typename: 'Query',
      prev: { key: 'nest', prev: { key: 0, typename: undefined } },
    },
    variableValues: { v: 'given' },
    schema: true,
    operation: 'Q',
    fragments: ['F'],
  });
  expect(actual).toEqual(Array.from({ length: EXECUTIONS - 1 }, () => expected));
});

const FROZEN = Object.freeze(new Error('frozen'));

/** Resolvers that fail, and the messages of their errors. */
const FAILURES: Record<string, { resolve: () => unknown; message: string; extensions?: object }> = {
  'an Error': { resolve: () => raise(new Error('an error')), message: 'an error' },
  'a text': { resolve: () => raise('a text'), message: 'Unexpected error value: "a text"' },
  nothing: { resolve: () => raise(undefined), message: 'Unexpected error value: undefined' },
  'an object': { resolve: () => raise({ a: 1 }), message: 'Unexpected error value: { a: 1 }' },
  'a frozen Error': { resolve: () => raise(FROZEN), message: 'frozen' },
  'an Error with extensions': {
    resolve: () => raise(Object.assign(new Error('extended'), { extensions: { code: 'CODE' } })),
    message: 'extended',
    extensions: { code: 'CODE' },
  },
  'a GraphQLError with extensions': {
    resolve: () => raise(new GraphQLError('of GraphQL', { extensions: { code: 'CODE' } })),
    message: 'of GraphQL',
    extensions: { code: 'CODE' },
  },
};

describe('a field is null and has an error if its resolver fails with', () => {
  for (const [name, { resolve, message, extensions }] of Object.entries(FAILURES)) {
    const ways: Record<string, () => unknown> = {
      thrown: resolve,
      rejected: async () => resolve(),
      'rejected later': async () => {
        await null;
        return resolve();
      },
      // Anything else is a value if it is returned.
      ...(caught(resolve) instanceof Error && {
        returned: () => caught(resolve),
        promised: async () => caught(resolve),
      }),
    };
    for (const [way, value] of Object.entries(ways)) {
      it(`${name}, ${way}`, async () => {
        const schema = createSchema(SDL, { Query: { value } });
        const text = '{ nests { value } number }';
        const root = () => ({ nests: [{}], number: 1 });
        const { data, errors } = await executeBoth({ schema, text, root });
        expect(data).toEqual({ nests: [{ value: null }], number: 1 });
        const at = { path: ['nests', 0, 'value'], locations: [{ line: 1, column: 11 }] };
        expect(errors).toEqual([{ message, ...at, ...(extensions && { extensions }) }]);
      });
    }
  }

  it('an error that has a path and locations of its own keeps them', async () => {
    const nodes = (parse('{\n  other }').definitions[0] as OperationDefinitionNode).selectionSet;
    const value = () => raise(new GraphQLError('elsewhere', { nodes, path: ['other', 1] }));
    const schema = createSchema(SDL, { Query: { value } });
    const { errors } = await executeBoth({ schema, text: '{ value }' });
    expect(errors).toEqual([
      { message: 'elsewhere', path: ['other', 1], locations: [{ line: 1, column: 1 }] },
    ]);
  });

  it('both of two fields that select it have its locations', async () => {
    const schema = createSchema(SDL, { Query: { value: () => raise(new Error('twice')) } });
    const { errors } = await executeBoth({ schema, text: '{ value nest { id } value }' });
    expect(errors).toMatchObject([{ locations: [{ column: 3 }, { column: 21 }] }]);
  });
});

/** Values of leaf fields, and their results: a value, or an error whose message contains a text. */
const LEAVES: [field: string, value: unknown, result: unknown, message?: string][] = [
  ['value', 7, '7'],
  ['value', true, 'true'],
  ['value', '', ''],
  ['value', { toJSON: () => 'json' }, 'json'],
  ['value', [], null, 'String cannot represent value: []'],
  ['number', '12', 12],
  ['number', 1.5, null, 'Int cannot represent non-integer value: 1.5'],
  ['number', 2 ** 31, null, 'Int cannot represent non 32-bit signed integer'],
  ['number', Number.NaN, null, 'Int cannot represent non-integer value: NaN'],
  ['ratio', true, 1],
  ['id', 7, '7'],
  ['yes', 1, true],
  ['yes', 'true', null, 'Boolean cannot represent a non boolean value: "true"'],
  ['color', 'RED', 'RED'],
  ['color', 'BLUE', null, 'Enum "Color" cannot represent value: "BLUE"'],
  ['odd', 3, 3],
  ['odd', 2, null, 'to return non-nullable value, returned: undefined'],
  ['odd', Symbol('odd'), null, 'is no number'],
];

describe('a leaf', () => {
  for (const [field, value, result, message] of LEAVES) {
    it(`${field} of ${String(typeof value === 'object' ? JSON.stringify(value) : value)}`, async () => {
      const serialize = (given: unknown) => {
        if (typeof given !== 'number') throw new Error('is no number');
        return given % 2 === 1 ? given : undefined;
      };
      const schema = createSchema(SDL, { Odd: { serialize } });
      for (const root of [() => ({ [field]: value }), () => ({ [field]: async () => value })]) {
        const { data, errors } = await executeBoth({ schema, text: `{ ${field} }`, root });
        expect(data).toEqual({ [field]: result });
        if (message === undefined) expect(errors).toBeUndefined();
        else expect(errors).toMatchObject([{ message: expect.stringContaining(message) }]);
      }
    });
  }
});

it('messages do not contain the value that a resolver should not have returned', async () => {
  const schema = createSchema(SDL, {
    Query: { isTypeOf: (value: unknown) => value === undefined },
  });
  const rootValue = { nest: { password: 'secret' } };
  const { errors } = await createExecute(schema)({
    schema,
    document: parse('{ nest { value } }'),
    rootValue,
  });
  expect(errors?.[0]?.message).toBe('Expected value of type "Query".');
});

function raise(error: unknown): never {
  throw error;
}

function caught(fail: () => unknown): unknown {
  try {
    return fail();
  } catch (error) {
    return error;
  }
}
