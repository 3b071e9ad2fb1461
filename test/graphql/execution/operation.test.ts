import { buildSchema, GraphQLSchema, parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { createExecute } from '../../../src/graphql/execution/execute.ts';
import { executeBoth } from '../../support/execution.ts';

const SDL = `
  type Query { a: String b: String nest: Query echo(text: String): String }
  type Mutation { c: String }
  type Subscription { d: String }
`;
const ROOT = { a: 'a', b: 'b', c: 'c', d: 'd', nest: { a: 'x', b: 'y' } };

interface Operation {
  text: string;
  operationName?: string;
  result: unknown;
}

/** Operations of documents, and their data or the messages of their errors. */
const OPERATIONS: Record<string, Operation> = {
  'without a name': { text: '{ a }', result: { a: 'a' } },
  'the only one, which has a name': { text: 'query A { a }', result: { a: 'a' } },
  'the first of two by its name': {
    text: 'query A { a } query B { b }',
    operationName: 'A',
    result: { a: 'a' },
  },
  'the second of two by its name': {
    text: 'query A { a } mutation B { c }',
    operationName: 'B',
    result: { c: 'c' },
  },
  'a mutation': { text: 'mutation { c }', result: { c: 'c' } },
  'a subscription': { text: 'subscription { d }', result: { d: 'd' } },
  'one beside definitions that cannot be executed': {
    text: '{ a } type Query { other: Int }',
    result: { a: 'a' },
  },
  'none in the document': {
    text: 'fragment F on Query { a }',
    result: ['Must provide an operation.'],
  },
  'one of two without a name': {
    text: 'query A { a } query B { b }',
    result: ['Must provide operation name if query contains multiple operations.'],
  },
  'one with an unknown name': {
    text: 'query A { a }',
    operationName: 'C',
    result: ['Unknown operation named "C".'],
  },
  'one with an empty name': {
    text: 'query A { a } query B { b }',
    operationName: '',
    result: ['Unknown operation named "".'],
  },
};

describe('the operation of a request is', () => {
  for (const [name, { text, operationName, result }] of Object.entries(OPERATIONS)) {
    it(name, async () => {
      const { data, errors } = await executeBoth({
        schema: SDL,
        text,
        root: () => ROOT,
        ...(operationName !== undefined && { operationName }),
      });
      if (Array.isArray(result))
        expect(errors).toMatchObject(result.map((message) => ({ message })));
      else expect(data).toEqual(result);
    });
  }

  for (const kind of ['query', 'mutation', 'subscription']) {
    it(`an error if the schema has no ${kind} type`, async () => {
      const schema = new GraphQLSchema({ assumeValid: true });
      const { data, errors } = await executeBoth({ schema, text: `${kind} { a }` });
      expect(data).toBeNull();
      const message = `Schema is not configured to execute ${kind} operation.`;
      expect(errors).toMatchObject([{ message, locations: [{ line: 1, column: 1 }] }]);
    });
  }
});

/** Documents about the selection of fields, and their data as text, because the order counts. */
const SELECTIONS: Record<string, { text: string; data: string }> = {
  'fields in the order of the document': { text: '{ b a }', data: '{"b":"b","a":"a"}' },
  aliases: { text: '{ z: a y: a }', data: '{"z":"a","y":"a"}' },
  'a field once that is selected twice': { text: '{ a b a }', data: '{"a":"a","b":"b"}' },
  'the merged selections of one object': {
    text: '{ nest { a } nest { b } }',
    data: '{"nest":{"a":"x","b":"y"}}',
  },
  'parallel fragments, merged': {
    text: '{ ...F ...G } fragment F on Query { b nest { b } } fragment G on Query { a nest { a } }',
    data: '{"b":"b","nest":{"b":"y","a":"x"},"a":"a"}',
  },
  'a fragment that contains itself, once': {
    text: '{ a ...F } fragment F on Query { b ...F }',
    data: '{"a":"a","b":"b"}',
  },
  'a fragment of another type, not at all': {
    text: '{ a ...F ... on Mutation { c } } fragment F on Mutation { c }',
    data: '{"a":"a"}',
  },
  'an unknown fragment, not at all': { text: '{ a ...Unknown }', data: '{"a":"a"}' },
  'a fragment of an unknown type, not at all': {
    text: '{ a ... on Unknown { b } }',
    data: '{"a":"a"}',
  },
  'an unknown field, not at all': { text: '{ a unknown }', data: '{"a":"a"}' },
  'an object without a selection, empty': { text: '{ a nest }', data: '{"a":"a","nest":{}}' },
  'the name of the type': {
    text: '{ __typename nest { t: __typename } }',
    data: '{"__typename":"Query","nest":{"t":"Query"}}',
  },
  'keys that every object has': {
    text: '{ __proto__: a constructor: b toString: a }',
    data: '{"__proto__":"a","constructor":"b","toString":"a"}',
  },
};

describe('an operation selects', () => {
  for (const [name, { text, data }] of Object.entries(SELECTIONS)) {
    it(name, async () => {
      const schema = buildSchema(SDL);
      const execute = createExecute(schema);
      await executeBoth({ schema, text, root: () => ROOT });
      const result = await execute({ schema, document: parse(text), rootValue: ROOT });
      expect(JSON.stringify(result.data)).toBe(data);
    });
  }

  it('fields in the order of the document, whatever the order of their promises', async () => {
    const delayed = async (ticks: number, value: string) => {
      for (let tick = 0; tick < ticks; tick++) await null;
      return value;
    };
    const root = () => ({
      a: () => delayed(9, 'a'),
      b: 'b',
      nest: async () => ({ a: delayed(5, 'x'), b: delayed(1, 'y') }),
    });
    const { data } = await executeBoth({ schema: SDL, text: '{ a nest { a b } b }', root });
    expect(JSON.stringify(data)).toBe('{"a":"a","nest":{"a":"x","b":"y"},"b":"b"}');
  });
});

describe('a request is refused', () => {
  const schema = buildSchema(SDL);
  const execute = createExecute(schema);

  it('without a document', () => {
    const args = { schema, document: undefined as never };
    expect(() => execute(args)).toThrow('Must provide document.');
  });

  it('with variables as text', () => {
    const args = { schema, document: parse('{ a }'), variableValues: '{"a":1}' as never };
    expect(() => execute(args)).toThrow('Variables must be provided as an Object');
  });

  it('because no executor can be created for an invalid schema', () => {
    expect(() => createExecute(new GraphQLSchema({}))).toThrow('Query root type must be provided.');
    expect(() => createExecute(undefined as never)).toThrow('to be a GraphQL schema');
  });
});

it('a plan belongs to one operation of its document', async () => {
  const schema = buildSchema(SDL);
  const execute = createExecute(schema);
  const document = parse('query A { a } query B { b } { nest { a } }');
  for (const [operationName, data] of [
    ['A', { a: 'a' }],
    ['B', { b: 'b' }],
    ['A', { a: 'a' }],
  ] as const) {
    expect(await execute({ schema, document, operationName, rootValue: ROOT })).toEqual({ data });
  }
});
