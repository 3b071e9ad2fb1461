import { Kind, type ValueNode } from 'graphql';
import { describe, expect, it } from 'vitest';
import { createSchema, executeBoth } from '../../support/execution.ts';

const SDL = `
  scalar Complex
  scalar Faulty
  enum Size { SMALL LARGE NOTHING }
  input Input { a: String  b: [String]  c: String!  d: Complex  size: Size }
  input Nested { na: Input!  nb: String! }
  type Query {
    object(input: Input): String
    nested(input: Nested): String
    text(input: String): String
    textMust(input: String!): String
    textDefault(input: String = "default"): String
    textMustDefault(input: String! = "default"): String
    size(input: Size): String
    sizeMust(input: Size!): String
    list(input: [String]): String
    listMust(input: [String]!): String
    listOfMust(input: [String!]): String
    listMustOfMust(input: [String!]!): String
    matrix(input: [[Int]]): String
    number(input: Int): String
    faulty(input: Faulty): String
  }
`;

type Values = Record<string, unknown>;
/** Document, variables, and the arguments as JSON, or a part of a message. */
type Case = [text: string, variables: Values, result: unknown];

const OBJECT = 'query ($input: Input) { object(input: $input) }';
const INVALID = 'Variable "$input" got invalid value';

const CASES: Record<string, Case[]> = {
  'an object literal': [
    [
      '{ object(input: { a: "foo", b: ["bar"], c: "baz" }) }',
      {},
      '{"a":"foo","b":["bar"],"c":"baz"}',
    ],
    [
      '{ object(input: { a: "foo", b: "bar", c: "baz" }) }',
      {},
      '{"a":"foo","b":["bar"],"c":"baz"}',
    ],
    [
      '{ object(input: { a: null, b: null, c: "C", d: null }) }',
      {},
      '{"a":null,"b":null,"c":"C","d":null}',
    ],
    ['{ object(input: { b: ["A", null, "C"], c: "C" }) }', {}, '{"b":["A",null,"C"],"c":"C"}'],
    ['{ object(input: { c: "foo", d: "in" }) }', {}, '{"c":"foo","d":"out"}'],
    ['{ object(input: ["foo", "bar"]) }', {}, 'Argument "input" has invalid value ["foo", "bar"].'],
    ['{ object(input: { a: "no c" }) }', {}, 'has invalid value'],
    ['{ object(input: { c: "c", size: LARGE }) }', {}, '{"c":"c","size":"LARGE"}'],
    ['{ object(input: { c: "c", unknown: 1 }) }', {}, '{"c":"c"}'],
  ],
  'an object variable': [
    [OBJECT, { input: { a: 'foo', b: ['bar'], c: 'baz' } }, '{"a":"foo","b":["bar"],"c":"baz"}'],
    [OBJECT, { input: { a: 'foo', b: 'bar', c: 'baz' } }, '{"a":"foo","b":["bar"],"c":"baz"}'],
    [OBJECT, { input: { c: 'foo', d: 'in' } }, '{"c":"foo","d":"out"}'],
    [OBJECT, {}, 'absent'],
    [OBJECT, { input: null }, 'null'],
    [OBJECT, { input: undefined }, 'null'],
    [
      'query ($input: Input = { a: "foo", c: "baz" }) { object(input: $input) }',
      {},
      '{"a":"foo","c":"baz"}',
    ],
    [
      OBJECT,
      { input: { a: 'foo', b: 'bar', c: null } },
      `${INVALID} null at "input.c"; Expected non-nullable`,
    ],
    [OBJECT, { input: 'foo bar' }, `${INVALID} "foo bar"; Expected type "Input" to be an object.`],
    [OBJECT, { input: { a: 'foo' } }, 'Field "c" of required type "String!" was not provided.'],
    [
      OBJECT,
      { input: { c: 'baz', extra: 'dog' } },
      'Field "extra" is not defined by type "Input".',
    ],
    [
      OBJECT,
      { input: { c: 'baz', d: 'wrong' } },
      `${INVALID} "wrong" at "input.d"; Expected type "Complex".`,
    ],
    [
      'query ($input: Nested) { nested(input: $input) }',
      { input: { na: { a: 'foo' } } },
      'at "input.na"; Field "c"',
    ],
    [
      'query ($c: String!) { nested(input: { na: { c: $c }, nb: $c }) }',
      { c: 'x' },
      '{"na":{"c":"x"},"nb":"x"}',
    ],
    ['query ($c: String) { object(input: { a: $c, c: "c" }) }', {}, '{"c":"c"}'],
    ['query ($c: String) { object(input: { a: $c, c: "c" }) }', { c: null }, '{"a":null,"c":"c"}'],
    ['query ($c: String) { object(input: { c: $c }) }', {}, 'has invalid value {c: $c}'],
  ],
  'an enum': [
    ['{ size(input: SMALL) }', {}, '1'],
    ['{ size(input: NOTHING) }', {}, 'null'],
    ['{ sizeMust(input: NOTHING) }', {}, 'null'],
    ['{ size(input: "SMALL") }', {}, 'has invalid value'],
    ['query ($input: Size) { size(input: $input) }', { input: 'SMALL' }, '1'],
    [
      'query ($input: Size) { size(input: $input) }',
      { input: 'HUGE' },
      'Value "HUGE" does not exist in "Size" enum.',
    ],
    ['query ($input: Size = SMALL) { size(input: $input) }', {}, '1'],
  ],
  'a nullable scalar': [
    ['{ text }', {}, 'absent'],
    ['query ($value: String) { text(input: $value) }', {}, 'absent'],
    ['{ text(input: $undeclared) }', {}, 'absent'],
    ['query ($value: String) { text(input: $value) }', { value: null }, 'null'],
    ['query ($value: String) { text(input: $value) }', { value: 'a' }, '"a"'],
    ['{ text(input: "a") }', {}, '"a"'],
    ['query ($value: String = "d") { text(input: $value) }', {}, '"d"'],
    ['query ($value: String = "d") { text(input: $value) }', { value: 'v' }, '"v"'],
    ['query ($value: String = "d") { text(input: $value) }', { value: null }, 'null'],
    ['query ($value: String = null) { text(input: $value) }', {}, 'null'],
    [
      'query ($value: String) { text(input: $value) }',
      { value: [1, 2] },
      'String cannot represent a non string value',
    ],
    ['query ($value: String) { text(input: $value) }', { value: 'a', other: 1 }, '"a"'],
  ],
  'a scalar that is not nullable': [
    [
      'query ($value: String!) { textMust(input: $value) }',
      {},
      'of required type "String!" was not provided.',
    ],
    [
      'query ($value: String!) { textMust(input: $value) }',
      { value: null },
      'of non-null type "String!" must not be null.',
    ],
    ['query ($value: String!) { textMust(input: $value) }', { value: 'a' }, '"a"'],
    ['query ($value: String! = "d") { textMust(input: $value) }', {}, '"d"'],
    ['{ textMust(input: "a") }', {}, '"a"'],
    ['{ textMust }', {}, 'Argument "input" of required type "String!" was not provided.'],
    [
      'query ($value: String) { textMust(input: $value) }',
      {},
      'which was not provided a runtime value.',
    ],
    [
      'query ($value: Int!) { number(input: $value) }',
      { value: 1.5 },
      'Int cannot represent non-integer value: 1.5',
    ],
  ],
  'an argument with a default': [
    ['{ textDefault }', {}, '"default"'],
    ['query ($value: String) { textDefault(input: $value) }', {}, '"default"'],
    ['query ($value: String) { textDefault(input: $value) }', { value: null }, 'null'],
    ['{ textDefault(input: WRONG) }', {}, 'Argument "input" has invalid value WRONG.'],
    ['query ($value: String = "other") { textMustDefault(input: $value) }', {}, '"other"'],
    ['query ($value: String) { textMustDefault(input: $value) }', {}, '"default"'],
    [
      'query ($value: String) { textMustDefault(input: $value) }',
      { value: null },
      'must not be null',
    ],
  ],
  'a list': [
    ['query ($input: [String]) { list(input: $input) }', { input: null }, 'null'],
    ['query ($input: [String]) { list(input: $input) }', { input: ['A'] }, '["A"]'],
    ['query ($input: [String]) { list(input: $input) }', { input: 'A' }, '["A"]'],
    [
      'query ($input: [String]) { list(input: $input) }',
      { input: ['A', null, 'B'] },
      '["A",null,"B"]',
    ],
    ['query ($input: [String]!) { listMust(input: $input) }', { input: null }, 'must not be null'],
    ['query ($input: [String]!) { listMust(input: $input) }', { input: ['A', null] }, '["A",null]'],
    ['query ($input: [String!]) { listOfMust(input: $input) }', { input: null }, 'null'],
    [
      'query ($input: [String!]) { listOfMust(input: $input) }',
      { input: ['A', null] },
      'null at "input[1]"',
    ],
    [
      'query ($input: [String!]!) { listMustOfMust(input: $input) }',
      { input: null },
      'must not be null',
    ],
    ['query ($input: [String!]!) { listMustOfMust(input: $input) }', { input: ['A'] }, '["A"]'],
    [
      'query ($input: [String!]!) { listMustOfMust(input: $input) }',
      { input: [null] },
      'null at "input[0]"',
    ],
    ['query ($item: String) { list(input: ["A", $item]) }', {}, '["A",null]'],
    ['query ($item: String) { listOfMust(input: ["A", $item]) }', {}, 'has invalid value'],
    ['{ matrix(input: 1) }', {}, '[[1]]'],
    ['{ matrix(input: [1, [2], null]) }', {}, '[[1],[2],null]'],
    ['query ($input: [[Int]]) { matrix(input: $input) }', { input: [[1], [2]] }, '[[1],[2]]'],
  ],
  'a variable of an unknown type': [
    [
      'query ($input: Query!) { text(input: $input) }',
      { input: {} },
      'which cannot be used as an input type',
    ],
    [
      'query ($input: Unknown!) { text(input: $input) }',
      { input: {} },
      'which cannot be used as an input type',
    ],
  ],
  'a scalar that throws': [
    ['query ($input: Faulty) { faulty(input: $input) }', { input: 'x' }, 'is faulty'],
    ['{ faulty(input: "x") }', {}, 'has invalid value'],
  ],
};

for (const [kind, cases] of Object.entries(CASES)) {
  describe(kind, () => {
    for (const [text, variableValues, result] of cases) {
      it(`${text} with ${JSON.stringify(variableValues)}`, async () => {
        const { data, errors } = await executeBoth({ schema: schemaOf(), text, variableValues });
        const messages = errors?.map((error) => 'message' in error && error.message).join('\n');
        const [value] = Object.values(data ?? {});
        expect(messages ?? value).toEqual(
          errors ? expect.stringContaining(String(result)) : result,
        );
      });
    }
  });
}

describe('errors of variables', () => {
  const text = 'query ($input: [Int!]) { number }';
  const variableValues = { input: Array.from({ length: 60 }, (_, index) => `${index}`) };

  it('are limited to 50, and one more that says that there are others', async () => {
    const { data, errors } = await executeBoth({ schema: schemaOf(), text, variableValues });
    expect(data).toBeUndefined();
    expect(errors).toHaveLength(51);
    expect(errors?.at(-1)).toMatchObject({ message: expect.stringContaining('Too many errors') });
  });

  it('are as many as the options of the operation allow', async () => {
    const options = { maxCoercionErrors: 2 };
    const { errors } = await executeBoth({ schema: schemaOf(), text, variableValues, options });
    expect(errors).toHaveLength(3);
  });

  it('suggest names, unless suggestions are hidden', async () => {
    const { schema, ...rest } = {
      schema: schemaOf(),
      text: OBJECT,
      variableValues: { input: { c: 'c', siz: 1 } },
    };
    const shown = await executeBoth({ schema, ...rest });
    expect(JSON.stringify(shown.errors)).toContain('Did you mean');
    const hidden = await executeBoth({ schema, ...rest, hideSuggestions: true });
    expect(JSON.stringify(hidden.errors)).not.toContain('Did you mean');
  });
});

function schemaOf() {
  const schema = createSchema(SDL, {
    Complex: {
      parseValue: (value: unknown) => (value === 'in' ? 'out' : undefined),
      parseLiteral: (node: ValueNode) =>
        node.kind === Kind.STRING && node.value === 'in' ? 'out' : undefined,
    },
    Faulty: { parseValue: raise, parseLiteral: raise },
  });
  const values = { SMALL: 1, NOTHING: null };
  for (const [name, value] of Object.entries(values)) {
    const size = schema.getType('Size');
    if (size && 'getValue' in size) Object.assign(size.getValue(name) ?? {}, { value });
  }
  const resolve = (_source: unknown, args: Values) =>
    'input' in args ? JSON.stringify(args.input) : 'absent';
  for (const field of Object.values(schema.getQueryType()?.getFields() ?? {}))
    field.resolve = resolve;
  return schema;
}

function raise(): never {
  throw new Error('is faulty');
}
