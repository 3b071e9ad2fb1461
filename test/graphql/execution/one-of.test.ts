import { describe, expect, it } from 'vitest';
import { executeBoth } from '../../support/execution.ts';

const SDL = `
  type Query { find(by: By!): Found }
  input By @oneOf { a: String b: Int }
  type Found { a: String b: Int }
`;

const VARIABLE = 'query ($by: By!) { find(by: $by) { a b } }';

/** Documents with variables, and the found object or a part of the message. */
const CASES: [
  name: string,
  text: string,
  variables: Record<string, unknown>,
  result: object | string,
][] = [
  ['one field', '{ find(by: { a: "abc" }) { a b } }', {}, { a: 'abc', b: null }],
  ['the other field', '{ find(by: { b: 1 }) { a b } }', {}, { a: null, b: 1 }],
  ['two fields', '{ find(by: { a: "abc", b: 1 }) { a } }', {}, 'has invalid value'],
  ['two fields, one null', '{ find(by: { a: "abc", b: null }) { a } }', {}, 'has invalid value'],
  ['null', '{ find(by: { a: null }) { a } }', {}, 'has invalid value'],
  ['no field', '{ find(by: {}) { a } }', {}, 'has invalid value'],
  ['a variable', VARIABLE, { by: { a: 'abc' } }, { a: 'abc', b: null }],
  [
    'a variable with two fields',
    VARIABLE,
    { by: { a: 'abc', b: 1 } },
    'Exactly one key must be specified',
  ],
  [
    'a variable with a null',
    VARIABLE,
    { by: { a: 'abc', b: null } },
    'Exactly one key must be specified',
  ],
  [
    'a variable with nothing but a null',
    VARIABLE,
    { by: { a: null } },
    'Field "a" must be non-null.',
  ],
  ['a variable without a field', VARIABLE, { by: {} }, 'Exactly one key must be specified'],
  ['a variable of a wrong type', VARIABLE, { by: { b: 'x' } }, 'Int cannot represent non-integer'],
  [
    'a field of a variable',
    'query ($a: String!) { find(by: { a: $a }) { a b } }',
    { a: 'x' },
    { a: 'x', b: null },
  ],
  [
    'a field of a variable that is absent',
    'query ($a: String) { find(by: { a: $a }) { a } }',
    {},
    'has invalid value',
  ],
  [
    'a field of a variable that is null',
    'query ($a: String) { find(by: { a: $a }) { a } }',
    { a: null },
    'has invalid value',
  ],
  [
    'a literal beside an absent variable',
    'query ($b: Int) { find(by: { a: "abc", b: $b }) { a b } }',
    {},
    { a: 'abc', b: null },
  ],
  [
    'a literal beside a variable',
    'query ($b: Int) { find(by: { a: "abc", b: $b }) { a b } }',
    { b: 1 },
    'has invalid value',
  ],
];

describe('a OneOf input object', () => {
  for (const [name, text, variableValues, result] of CASES) {
    it(name, async () => {
      const root = () => ({ find: ({ by }: { by: object }) => by });
      const { data, errors } = await executeBoth({ schema: SDL, text, variableValues, root });
      if (typeof result === 'string') {
        expect(errors).toMatchObject([{ message: expect.stringContaining(result) }]);
      } else {
        expect(data).toEqual({ find: result });
      }
    });
  }
});
