import {
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLNamedType,
  type GraphQLObjectType,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  isUnionType,
} from 'graphql';
import { expect, it } from 'vitest';
import { schema } from '../../src/graphql/schema.ts';
import { withApp } from '../support/app.ts';
import { describeEachBackend } from '../support/backend.ts';

/** More of them find more: `FUZZ_OPERATIONS=50000`, another `FUZZ_SEED` others. */
const OPERATIONS = Number(process.env.FUZZ_OPERATIONS ?? 500);
const SEED = Number(process.env.FUZZ_SEED ?? 1);

const TEXTS = [
  '',
  ' ',
  'a',
  '\0',
  'a\0b',
  '\ud800',
  '😀',
  '%',
  "'",
  '"',
  '_',
  '/a/b',
  '..',
  '-1',
  'a:b',
  '* OR',
  '("',
];
const LONG_TEXTS = ['x'.repeat(300), 'é'.repeat(5000), '0'.repeat(32), 'import-url', '#ff0000'];

/** What scalars are made of: the least, the most, what is none, and what databases choke on. */
const VALUES: Record<string, readonly unknown[]> = {
  Int: [0, 1, 2, 50, 200, 201, -1, 2 ** 31 - 1, -(2 ** 31)],
  Float: [0, 0.5, 1, -1, 1e308, 1e-9],
  Boolean: [true, false],
  BigInt: [0, 1, 100, 2 ** 53 - 1, '12'],
  String: [...TEXTS, ...LONG_TEXTS],
  ID: [
    '',
    'x',
    '\0',
    7,
    ...['Media:1', 'Folder:-1', 'Query:1', 'Job:1.5', 'Tag:99999999999999999999'].map(base64url),
  ],
  UUID: ['00000000-0000-0000-0000-000000000000', '0'.repeat(32)],
  URL: [
    'https://example.com/',
    'http://127.0.0.1:1/',
    'javascript:alert(1)',
    `https://x.org/${'y'.repeat(3000)}`,
  ],
  DateTime: [
    '2026-01-01T00:00:00Z',
    '0000-01-01T00:00:00Z',
    '9999-12-31T23:59:59.999Z',
    '2026-02-30T00:00:00+14:00',
  ],
  JSON: [{}, [], null, 1, { a: ['\0', '\ud800'] }, { url: 'http://127.0.0.1:1/' }],
  Upload: [null],
};

/** Makes operations out of the schema, with the ids that earlier answers named. */
class Generator {
  readonly ids: string[] = [];
  #state: number;
  #definitions: string[] = [];
  #variables: Record<string, unknown> = {};
  #names = 0;

  constructor(seed: number) {
    this.#state = seed;
  }

  operation(): { query: string; variables: Record<string, unknown> } {
    this.#definitions = [];
    this.#variables = {};
    this.#names = 0;
    const [query, mutation] = [schema.getQueryType()!, schema.getMutationType()!];
    const root = this.#pick([query, query, mutation]);
    const field = this.#field(this.#pick(Object.values(root.getFields())), 3);
    const definitions = this.#definitions.length > 0 ? `(${this.#definitions.join(', ')})` : '';
    const text = `${root === query ? 'query' : 'mutation'} ${definitions} { ${field} }`;
    return { query: text, variables: this.#variables };
  }

  #field(field: GraphQLField<unknown, unknown>, depth: number): string {
    const given = field.args.filter(({ type }) => isNonNullType(type) || this.#chance(2));
    const args = given.map(({ name, type }) => {
      const variable = `v${this.#names++}`;
      this.#definitions.push(`$${variable}: ${type}`);
      this.#variables[variable] = this.#value(type);
      return `${name}: $${variable}`;
    });
    const inner = this.#selection(getNamedType(field.type), depth);
    // The same field of several types may have other arguments, or none that may be null.
    const alias = depth > 0 && !isLeafType(getNamedType(field.type)) ? `f${this.#names++}: ` : '';
    return `${alias}${field.name}${args.length > 0 ? `(${args.join(', ')})` : ''} ${inner}`;
  }

  #selection(type: GraphQLNamedType, depth: number): string {
    if (isUnionType(type)) return this.#members(type.getTypes(), depth);
    if (!isObjectType(type) && !isInterfaceType(type)) return '';
    const fields = Object.values(type.getFields()).filter((field) =>
      isLeafType(getNamedType(field.type)) ? this.#chance(2) : depth > 0 && this.#chance(5),
    );
    return `{ __typename ${fields.map((field) => this.#field(field, depth - 1)).join(' ')} }`;
  }

  #members(types: readonly GraphQLObjectType[], depth: number): string {
    const members = types.map((type) =>
      // Errors have fields of the same name and another type.
      type.name.endsWith('Error')
        ? `... on ${type.name} { code message }`
        : `... on ${type.name} ${this.#selection(type, depth)}`,
    );
    return `{ __typename ${members.join(' ')} }`;
  }

  #value(type: GraphQLInputType): unknown {
    if (isNonNullType(type)) return this.#value(type.ofType) ?? this.#value(type.ofType);
    if (this.#chance(8)) return null;
    if (isListType(type)) {
      return Array.from({ length: this.#pick([0, 1, 1, 2, 10, 201]) }, () =>
        this.#value(type.ofType),
      );
    }
    if (isEnumType(type)) return this.#pick(type.getValues()).name;
    if (isInputObjectType(type)) {
      const fields = Object.values(type.getFields());
      const given = type.isOneOf
        ? [this.#pick(fields)]
        : fields.filter((field) => isNonNullType(field.type) || this.#chance(3));
      return Object.fromEntries(given.map((field) => [field.name, this.#value(field.type)]));
    }
    if (type.name === 'ID' && this.ids.length > 0 && !this.#chance(4)) return this.#pick(this.ids);
    return this.#pick(VALUES[type.name] ?? []);
  }

  /** True once in so many times. */
  #chance(times: number): boolean {
    return this.#random(times) === 0;
  }

  #pick<Item>(items: readonly Item[]): Item {
    return items[this.#random(items.length)]!;
  }

  #random(below: number): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) | 0;
    return (this.#state >>> 8) % below;
  }
}

describeEachBackend('operations made by chance', (backend) => {
  it('are answered, or refused for a reason that is told', () =>
    withApp(backend, async (app) => {
      const generator = new Generator(SEED);
      let answered = 0;
      for (let count = 0; count < OPERATIONS; count++) {
        const body = JSON.stringify(generator.operation());
        const headers = { 'content-type': 'application/json' };
        const init = { method: 'POST', headers, body, asAdmin: true };
        const response = await app.fetch('/graphql', init);
        const text = await response.text();
        expect(response.status, `${body}\n${text}`).toBeLessThan(500);
        expect(text, body).not.toMatch(/INTERNAL|GRAPHQL_VALIDATION_FAILED/);
        for (const [, id = ''] of text.matchAll(/"id":"([\w-]+)"/g)) generator.ids.push(id);
        if (text.includes('"data":{')) answered++;
      }
      expect(answered).toBeGreaterThan(OPERATIONS / 4);
    }));
});

function base64url(text: string): string {
  return Buffer.from(text).toString('base64url');
}
