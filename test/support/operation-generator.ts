import {
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
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

/** Values of scalars: the smallest, the largest, invalid ones, and ones that trouble databases. */
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

const LENGTHS = [0, 1, 1, 2, 10, 201];

/** Inputs that contain themselves, as filters do, end after so many levels. */
const INPUT_LEVELS_MAX = 4;

/** The frequency of the generator's choices: each is made once in so many times. */
export interface Rarity {
  /** Passes an argument that may be omitted. */
  argument: number;
  /** Selects a field of an object type. */
  objectField: number;
  /** Writes an argument as a literal, which can be invalid, instead of a variable. Never if undefined. */
  literal?: number;
}

/** Generates valid operations of a schema, the same ones for the same seed. */
export class OperationGenerator {
  /** Global ids of earlier responses, used as arguments. */
  readonly ids: string[] = [];
  readonly #schema: GraphQLSchema;
  readonly #rarity: Rarity;
  #state: number;
  #definitions: string[] = [];
  #variables: Record<string, unknown> = {};
  #names = 0;

  constructor(schema: GraphQLSchema, seed: number, rarity: Rarity) {
    this.#schema = schema;
    this.#rarity = rarity;
    this.#state = seed;
  }

  /** Returns a query, or one time in three a mutation, with one root field. */
  operation(): { query: string; variables: Record<string, unknown> } {
    this.#definitions = [];
    this.#variables = {};
    this.#names = 0;
    const [query, mutation] = [this.#schema.getQueryType()!, this.#schema.getMutationType()!];
    const root = this.#pick([query, query, mutation]);
    const field = this.#field(this.#pick(Object.values(root.getFields())), 3);
    const definitions = this.#definitions.length > 0 ? `(${this.#definitions.join(', ')})` : '';
    const text = `${root === query ? 'query' : 'mutation'} ${definitions} { ${field} }`;
    return { query: text, variables: this.#variables };
  }

  #field(field: GraphQLField<unknown, unknown>, depth: number): string {
    const given = field.args.filter(
      ({ type }) => isNonNullType(type) || this.#chance(this.#rarity.argument),
    );
    const args = given.map(({ name, type }) => {
      const value = this.#value(type);
      const literal = this.#rarity.literal && this.#chance(this.#rarity.literal);
      if (literal && isWritable(value)) return `${name}: ${toLiteral(value, type)}`;
      const variable = `v${this.#names++}`;
      this.#definitions.push(`$${variable}: ${type}`);
      this.#variables[variable] = value;
      return `${name}: $${variable}`;
    });
    const inner = this.#selection(getNamedType(field.type), depth);
    // Fields of the same name in several types can differ in arguments and nullability: aliases keep them apart.
    const alias = depth > 0 && !isLeafType(getNamedType(field.type)) ? `f${this.#names++}: ` : '';
    return `${alias}${field.name}${args.length > 0 ? `(${args.join(', ')})` : ''} ${inner}`;
  }

  #selection(type: GraphQLNamedType, depth: number): string {
    if (isUnionType(type)) return this.#members(type.getTypes(), depth);
    if (!isObjectType(type) && !isInterfaceType(type)) return '';
    const fields = Object.values(type.getFields()).filter((field) =>
      isLeafType(getNamedType(field.type))
        ? this.#chance(2)
        : depth > 0 && this.#chance(this.#rarity.objectField),
    );
    return `{ __typename ${fields.map((field) => this.#field(field, depth - 1)).join(' ')} }`;
  }

  #members(types: readonly GraphQLObjectType[], depth: number): string {
    const members = types.map((type) =>
      // Fields of the same name can have different types in two errors.
      type.name.endsWith('Error')
        ? `... on ${type.name} { code message }`
        : `... on ${type.name} ${this.#selection(type, depth)}`,
    );
    return `{ __typename ${members.join(' ')} }`;
  }

  #value(type: GraphQLInputType, depth = 0): unknown {
    if (isNonNullType(type))
      return this.#value(type.ofType, depth) ?? this.#value(type.ofType, depth);
    if (this.#chance(8)) return null;
    if (isListType(type)) {
      // Many filters in each of many filters would be too many.
      const lengths = depth > 0 && isInputObjectType(getNamedType(type)) ? [0, 1, 2] : LENGTHS;
      return Array.from({ length: this.#pick(lengths) }, () => this.#value(type.ofType, depth));
    }
    if (isEnumType(type)) return this.#pick(type.getValues()).name;
    if (isInputObjectType(type)) {
      const fields = Object.values(type.getFields());
      const given = type.isOneOf
        ? [this.#pick(fields)]
        : fields.filter(
            (field) =>
              isNonNullType(field.type) ||
              ((!isInputObjectType(getNamedType(field.type)) || depth < INPUT_LEVELS_MAX) &&
                this.#chance(3)),
          );
      return Object.fromEntries(
        given.map((field) => [field.name, this.#value(field.type, depth + 1)]),
      );
    }
    if (type.name === 'ID' && this.ids.length > 0 && !this.#chance(4)) return this.#pick(this.ids);
    return this.#pick(VALUES[type.name] ?? []);
  }

  /** Returns true once in so many times. */
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

/** Returns whether a document can contain the value: it has no syntax for half of a surrogate pair. */
function isWritable(value: unknown): boolean {
  return !/\\ud[89a-f]/.test(JSON.stringify(value));
}

function toLiteral(value: unknown, type?: GraphQLInputType): string {
  const named = type && getNamedType(type);
  if (Array.isArray(value)) return `[${value.map((item) => toLiteral(item, named)).join(', ')}]`;
  if (isEnumType(named)) return String(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const types = isInputObjectType(named) ? named.getFields() : {};
  const fields = Object.entries(value).map(
    ([name, item]) => `${name}: ${toLiteral(item, types[name]?.type)}`,
  );
  return `{ ${fields.join(', ')} }`;
}

function base64url(text: string): string {
  return Buffer.from(text).toString('base64url');
}
