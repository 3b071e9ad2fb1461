import { parse, type ValueNode } from 'graphql';
import { describe, expect, it } from 'vitest';
import { createExecute } from '../../../src/graphql/execution/execute.ts';
import { createSchema, executeBoth } from '../../support/execution.ts';

const SDL = `
  scalar Point
  input Span { from: Int = 1, to: Int, inner: Span, tags: [String!] }
  type Query {
    plain: String
    echo(text: String, number: Int = 7, span: Span, list: [Span], words: [String], at: Point): String
    items: [Item]
  }
  type Item { echo(text: String, number: Int = 7, span: Span, list: [Span], words: [String], at: Point): String plain: String }
`;

/** Operations with one or more calls of a resolver, and the arguments that it receives. */
const CASES: [name: string, text: string, variables?: Record<string, unknown>][] = [
  ['no arguments', '{ plain }'],
  ['defaults', '{ echo }'],
  ['scalars', '{ echo(text: "a", number: 2) }'],
  ['an input object', '{ echo(span: { to: 2, inner: { tags: ["a", "b"] } }) }'],
  ['a list of input objects', '{ echo(list: [{ to: 1 }, { inner: {} }, null]) }'],
  ['a value in place of a list', '{ echo(words: "a", list: { to: 1 }) }'],
  ['null', '{ echo(text: null, number: null, span: null, list: [null]) }'],
  ['a scalar that creates objects', '{ echo(at: "1,2") }'],
  ['a variable', 'query ($text: String) { echo(text: $text) }', { text: 'a' }],
  ['a variable with an object', 'query ($s: Span) { echo(span: $s) }', { s: { inner: { to: 2 } } }],
  [
    'a variable in an object',
    'query ($n: Int) { echo(span: { to: $n, inner: { to: $n } }) }',
    { n: 3 },
  ],
  ['an object variable in an object', 'query ($s: Span) { echo(span: { inner: $s }) }', { s: {} }],
  ['an absent variable', 'query ($text: String, $n: Int) { echo(text: $text, span: { to: $n }) }'],
  ['an absent variable in a list', 'query ($w: String) { echo(words: ["a", $w]) }'],
  [
    'calls in a list',
    '{ items { echo(text: "a", span: { to: 2 }, words: ["a"], at: "1,2") plain } }',
  ],
  [
    'calls in a list with variables',
    'query ($n: Int, $s: Span) { items { echo(number: $n, span: { to: $n }, list: [$s]) } }',
    { n: 4, s: { tags: [] } },
  ],
  ['several fields', '{ a: echo(words: ["a"]) b: echo(words: ["a"]) c: plain d: plain }'],
];

describe('a resolver may change its arguments without an effect on any other call', () => {
  for (const [name, text, variableValues = {}] of CASES) {
    it(name, async () => {
      const seen: unknown[] = [];
      // graphql-js, too, gives the value of a variable to every field that uses it.
      const depth = name.includes('variable') ? 0 : Number.POSITIVE_INFINITY;
      const schema = schemaOf((args) => {
        const text = JSON.stringify(args);
        expect(seen).not.toContain(args);
        seen.push(args);
        spoil(args, depth);
        return text;
      });
      const { data } = await executeBoth({ schema, text, variableValues });
      expect(JSON.stringify(data)).not.toContain('spoilt');
    });
  }
});

it('arguments are plain objects, and input objects in them have no prototype', async () => {
  const prototypes: unknown[] = [];
  const schema = schemaOf((args) => {
    const { span } = args as { span: object };
    prototypes.push(Object.getPrototypeOf(args), Object.getPrototypeOf(span));
    return '';
  });
  const text = '{ a: echo(span: { to: 1 }) items { echo(span: { to: 1 }) } }';
  await executeBoth({ schema, text });
  expect(prototypes).toEqual(prototypes.map((_, index) => (index % 2 ? null : Object.prototype)));
});

it('fields share the value of a variable within a request, and no other request receives it', async () => {
  const spans: unknown[] = [];
  const schema = schemaOf(({ span }) => void spans.push(span));
  const document = parse('query ($s: Span) { a: echo(span: $s) b: echo(span: $s) }');
  const execute = createExecute(schema);
  for (const to of [1, 2]) await execute({ schema, document, variableValues: { s: { to } } });
  expect(spans.map((span) => spans.indexOf(span))).toEqual([0, 0, 2, 2]);
});

it('the literal of a scalar is coerced again for each call', async () => {
  const points: unknown[] = [];
  const schema = schemaOf(({ at }) => void points.push(at));
  const document = parse('{ a: echo(at: "1,2") items { echo(at: "1,2") } }');
  await createExecute(schema)({ schema, document });
  expect(points).toHaveLength(3);
  expect(new Set(points).size).toBe(3);
});

function schemaOf(resolve: (args: Record<string, unknown>) => unknown) {
  const echo = (_source: unknown, args: Record<string, unknown>) => resolve(args);
  const parseLiteral = (node: ValueNode) => new Map([['at', 'value' in node ? node.value : null]]);
  return createSchema(SDL, {
    Query: { echo, plain: echo, items: () => [{}, {}] },
    Item: { echo, plain: echo },
    Point: { parseLiteral },
  });
}

/** Changes objects and lists down to a depth. */
function spoil(value: unknown, depth: number): void {
  if (typeof value !== 'object' || value === null) return;
  if (depth > 0) for (const inner of Object.values(value)) spoil(inner, depth - 1);
  if (Array.isArray(value)) value.push('spoilt');
  else Object.assign(value, { spoilt: true });
}
