import { describe, expect, it } from 'vitest';
import { executeBoth } from '../../support/execution.ts';

const SDL = 'type Query { a: String b: String nest: Query }';
const ROOT = { a: 'a', b: 'b', nest: { a: 'a', b: 'b' } };

/** Documents with a directive, one for each possible place. */
const PLACES: Record<string, (directives: string) => string> = {
  'a field': (directives) => `{ a b ${directives} }`,
  'a field with an alias': (directives) => `{ a b: b ${directives} }`,
  'a fragment spread': (directives) => `{ a ...F ${directives} } fragment F on Query { b }`,
  'an inline fragment': (directives) => `{ a ... on Query ${directives} { b } }`,
  'an inline fragment without a type': (directives) => `{ a ... ${directives} { b } }`,
  'a field in a fragment': (directives) => `{ ...F } fragment F on Query { a b ${directives} }`,
};

/** Directives, and whether the selection that carries them is selected. */
const DIRECTIVES: [directives: string, isSelected: boolean][] = [
  ['', true],
  ['@include(if: true)', true],
  ['@include(if: false)', false],
  ['@skip(if: true)', false],
  ['@skip(if: false)', true],
  ['@include(if: true) @skip(if: false)', true],
  ['@include(if: true) @skip(if: true)', false],
  ['@include(if: false) @skip(if: true)', false],
  ['@include(if: false) @skip(if: false)', false],
];

for (const [place, document] of Object.entries(PLACES)) {
  describe(`on ${place}`, () => {
    for (const [directives, isSelected] of DIRECTIVES) {
      it(`${directives || 'no directive'} ${isSelected ? 'selects it' : 'leaves it out'}`, async () => {
        const text = document(directives);
        const { data } = await executeBoth({ schema: SDL, text, root: () => ROOT });
        expect(data).toEqual(isSelected ? { a: 'a', b: 'b' } : { a: 'a' });
        const variables = withVariables(text);
        const varied = await executeBoth({ schema: SDL, ...variables, root: () => ROOT });
        expect(varied.data).toEqual(data);
      });
    }
  });
}

it('a field that is left out in one place can be selected in another', async () => {
  const text =
    '{ b @skip(if: true) b nest { a @include(if: false) } nest { a b @skip(if: true) } }';
  const { data } = await executeBoth({ schema: SDL, text, root: () => ROOT });
  expect(data).toEqual({ b: 'b', nest: { a: 'a' } });
});

it('a selection may be empty', async () => {
  const text = '{ nest { a @skip(if: true) } }';
  const { data } = await executeBoth({ schema: SDL, text, root: () => ROOT });
  expect(data).toEqual({ nest: {} });
});

it('other directives change nothing', async () => {
  const schema = `directive @other(if: Boolean) on FIELD\n${SDL}`;
  const { data } = await executeBoth({ schema, text: '{ a @other(if: false) }', root: () => ROOT });
  expect(data).toEqual({ a: 'a' });
});

it('a variable without a value fails the operation where the directive is on the root', async () => {
  const text = 'query ($a: Boolean) { a @skip(if: $a) b }';
  const { data, errors } = await executeBoth({ schema: SDL, text, root: () => ROOT });
  expect(data).toBeNull();
  expect(errors).toMatchObject([
    { message: expect.stringContaining('"$a" which was not provided') },
  ]);
});

it('a variable without a value fails the object where the directive is in it', async () => {
  const text = 'query ($a: Boolean) { nest { a @skip(if: $a) b } b }';
  const { data, errors } = await executeBoth({ schema: SDL, text, root: () => ROOT });
  expect(data).toEqual({ nest: null, b: 'b' });
  expect(errors).toMatchObject([{ path: ['nest'] }]);
});

/** The document with a variable for each condition. */
function withVariables(text: string) {
  const variableValues: Record<string, boolean> = {};
  const body = text.replace(/if: (true|false)/g, (_match, value: string) => {
    const name = `v${Object.keys(variableValues).length}`;
    variableValues[name] = value === 'true';
    return `if: $${name}`;
  });
  const definitions = Object.keys(variableValues).map((name) => `$${name}: Boolean!`);
  return { text: definitions.length ? `query (${definitions}) ${body}` : body, variableValues };
}
