import { buildSchema, parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { createExecute } from '../../../src/graphql/execution/execute.ts';
import { executeBoth } from '../../support/execution.ts';

const SDL = `type Query {
  value: Int  must: Int!  nest: Query  mustNest: Query!  list: [Query!]
  take(cannotBeNull: String!): String  takeDefault(text: String! = "default"): String
}`;

const SYNC = 'sync';
const PROMISE = 'promise';

/** Values that fail, by whether they do so at once or later. */
const FAILURES: Record<string, Record<string, () => unknown>> = {
  'null returned': { [SYNC]: () => null, [PROMISE]: async () => null },
  'an error thrown': { [SYNC]: fail, [PROMISE]: async () => fail() },
  'an error returned': {
    [SYNC]: () => new Error('failed'),
    [PROMISE]: async () => new Error('failed'),
  },
};

/** Documents, and their data if every `value` and `must` fails. */
const DOCUMENTS: Record<string, { text: string; data: unknown }> = {
  'a nullable field': { text: '{ value }', data: { value: null } },
  'a field that is not nullable': { text: '{ must }', data: null },
  'a nullable field below': { text: '{ nest { value } }', data: { nest: { value: null } } },
  'a field that is not nullable below a nullable one': {
    text: '{ nest { must } }',
    data: { nest: null },
  },
  'a chain that is not nullable': { text: '{ mustNest { mustNest { must } } }', data: null },
  'a chain with one nullable field': {
    text: '{ nest { mustNest { mustNest { must } } } }',
    data: { nest: null },
  },
  'several of each kind': {
    text: `{
      value  nest { value nest { value must } mustNest { value } }
      other: nest { mustNest { value nest { mustNest { must } } } }
    }`,
    data: {
      value: null,
      nest: { value: null, nest: null, mustNest: { value: null } },
      other: { mustNest: { value: null, nest: null } },
    },
  },
  'an item of a list': { text: '{ list { must } }', data: { list: null } },
  'a fragment': {
    text: '{ nest { ...F } } fragment F on Query { nest { must } }',
    data: { nest: { nest: null } },
  },
};

describe('a null goes up to the innermost nullable place, with', () => {
  for (const [name, kinds] of Object.entries(FAILURES)) {
    for (const [where, { text, data }] of Object.entries(DOCUMENTS)) {
      it(`${name}, at once or later, in ${where}`, async () => {
        for (const value of Object.values(kinds)) {
          for (const isAsync of [false, true]) {
            const nest = () => (isAsync ? Promise.resolve(root()) : root());
            const list = () => [nest(), nest()];
            const root = (): object => ({ value, must: value, nest, mustNest: nest, list });
            const result = await executeBoth({ schema: SDL, text, root });
            expect(result.data).toEqual(data);
            if (name !== 'null returned') expect(result.errors?.length).toBeGreaterThan(0);
          }
        }
      });
    }
  }
});

it('the path of an error names the field that failed, not the place of the null', async () => {
  const root = () => ({ nest: { mustNest: async () => ({ must: () => null }) } });
  const { data, errors } = await executeBoth({
    schema: SDL,
    text: '{ nest { mustNest { must } } }',
    root,
  });
  expect(data).toEqual({ nest: null });
  expect(errors).toEqual([
    {
      message: 'Cannot return null for non-nullable field Query.must.',
      path: ['nest', 'mustNest', 'must'],
      locations: [{ line: 1, column: 21 }],
    },
  ]);
});

it('fields beside a null that has gone up are not executed', async () => {
  const calls: string[] = [];
  const root = () => ({ must: fail, value: () => calls.push('value') });
  const schema = buildSchema(SDL);
  const document = parse('{ must value }');
  await createExecute(schema)({ schema, document, rootValue: root() });
  expect(calls).toEqual([]);
});

/** Arguments that may not be null, and the result: data or a part of the message. */
const ARGUMENTS: [
  string,
  { text: string; variableValues?: Record<string, unknown>; result: string },
][] = [
  ['a literal', { text: '{ take(cannotBeNull: "a") }', result: 'took a' }],
  [
    'a variable',
    {
      text: 'query ($a: String!) { take(cannotBeNull: $a) }',
      variableValues: { a: 'b' },
      result: 'took b',
    },
  ],
  [
    'the default of a variable',
    { text: 'query ($a: String = "c") { take(cannotBeNull: $a) }', result: 'took c' },
  ],
  ['no argument', { text: '{ take }', result: 'required type "String!" was not provided' }],
  ['null', { text: '{ take(cannotBeNull: null) }', result: 'must not be null' }],
  [
    'an absent variable',
    {
      text: 'query ($a: String) { take(cannotBeNull: $a) }',
      result: 'was provided the variable "$a" which was not',
    },
  ],
  [
    'a variable that is null',
    {
      text: 'query ($a: String = "c") { take(cannotBeNull: $a) }',
      variableValues: { a: null },
      result: 'must not be null',
    },
  ],
  ['no argument where there is a default', { text: '{ takeDefault }', result: 'took default' }],
  [
    'an absent variable where there is a default',
    { text: 'query ($a: String) { takeDefault(text: $a) }', result: 'took default' },
  ],
];

describe('an argument that may not be null', () => {
  for (const [name, { text, variableValues = {}, result }] of ARGUMENTS) {
    it(name, async () => {
      const take = (args: Record<string, string>) => `took ${args.cannotBeNull ?? args.text}`;
      const root = () => ({ take, takeDefault: take });
      const { data, errors } = await executeBoth({ schema: SDL, text, variableValues, root });
      const [value] = Object.values(data as object);
      if (value === null)
        expect(errors).toMatchObject([{ message: expect.stringContaining(result) }]);
      else expect(value).toBe(result);
    });
  }
});

function fail(): never {
  throw new Error('failed');
}
