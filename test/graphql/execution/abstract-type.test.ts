import { describe, expect, it } from 'vitest';
import { createSchema, executeBoth, type Functions } from '../../support/execution.ts';

const SDL = `
  interface Pet { name: String }
  type Dog implements Pet { name: String woofs: Boolean }
  type Cat implements Pet { name: String meows: Boolean }
  type Person { name: String }
  union CatOrDog = Cat | Dog
  type Query { pet: Pet  must: Pet!  pets: [Pet]  all: [Pet!]!  catOrDog: CatOrDog  dog: Dog  person: Person }
`;

const DOG = { kind: 'Dog', name: 'Odie', woofs: true };
const CAT = { kind: 'Cat', name: 'Garfield', meows: false };
const ROOT = { pet: DOG, must: CAT, pets: [DOG, CAT, null], all: [CAT], catOrDog: CAT, dog: DOG };

const TEXT = `{
  pet { __typename name ... on Dog { woofs } }
  must { name ... on Cat { meows } ... on Dog { woofs } }
  pets { name ... on Dog { woofs } ... on Cat { meows } }
  all { __typename }
  catOrDog { ... on Pet { name } ... on Cat { meows } }
  dog { woofs }
}`;

const DATA = {
  pet: { __typename: 'Dog', name: 'Odie', woofs: true },
  must: { name: 'Garfield', meows: false },
  pets: [{ name: 'Odie', woofs: true }, { name: 'Garfield', meows: false }, null],
  all: [{ __typename: 'Cat' }],
  catOrDog: { name: 'Garfield', meows: false },
  dog: { woofs: true },
};

interface Animal {
  kind: string;
}

const kindOf = ({ kind }: Animal) => kind;
const isDog = ({ kind }: Animal) => kind === 'Dog';
const isCat = ({ kind }: Animal) => kind === 'Cat';

/** Valid ways to tell the type of a value. */
const RESOLVERS: Record<string, Functions> = {
  'isTypeOf of each type': { Dog: { isTypeOf: isDog }, Cat: { isTypeOf: isCat } },
  'isTypeOf with promises': {
    Dog: { isTypeOf: async (value: Animal) => isDog(value) },
    Cat: { isTypeOf: async (value: Animal) => isCat(value) },
  },
  'isTypeOf with a promise in one type': {
    Dog: { isTypeOf: async (value: Animal) => isDog(value) },
    Cat: { isTypeOf: isCat },
  },
  'isTypeOf with any value that counts as true': {
    Dog: { isTypeOf: (value: Animal) => (isDog(value) ? 'yes' : '') },
    Cat: { isTypeOf: async (value: Animal) => (isCat(value) ? 1 : 0) },
  },
  resolveType: { Pet: { resolveType: kindOf }, CatOrDog: { resolveType: kindOf } },
  'resolveType with promises': {
    Pet: { resolveType: async (value: Animal) => kindOf(value) },
    CatOrDog: { resolveType: (value: Animal) => slow(kindOf(value)) },
  },
  'resolveType and isTypeOf with promises': {
    Pet: { resolveType: (value: Animal) => slow(kindOf(value)) },
    CatOrDog: { resolveType: async (value: Animal) => kindOf(value) },
    Dog: { isTypeOf: (value: Animal) => slow(isDog(value)) },
    Cat: { isTypeOf: async (value: Animal) => isCat(value) },
  },
};

describe('the type of a value is found', () => {
  for (const [name, functions] of Object.entries(RESOLVERS)) {
    it(`by ${name}`, async () => {
      const schema = createSchema(SDL, functions);
      const result = await executeBoth({ schema, text: TEXT, root: () => ROOT });
      expect(result).toEqual({ data: DATA });
    });
  }

  it('by __typename of the value', async () => {
    const root = () => ({
      pets: [
        { __typename: 'Cat', name: 'a' },
        { __typename: 'Dog', name: 'b' },
      ],
    });
    const { data } = await executeBoth({ schema: SDL, text: '{ pets { __typename name } }', root });
    expect(data).toEqual(root());
  });

  it('by the type resolver of the operation, where the type has none', async () => {
    const text = '{ pet { __typename } catOrDog { __typename } }';
    const schema = createSchema(SDL, { CatOrDog: { resolveType: () => 'Cat' } });
    const typeResolver = async () => 'Dog';
    const { data } = await executeBoth({ schema, text, root: () => ROOT, typeResolver });
    expect(data).toEqual({ pet: { __typename: 'Dog' }, catOrDog: { __typename: 'Cat' } });
  });

  it('with value, context, info and type as arguments', async () => {
    const calls: unknown[][] = [];
    const resolveType = (...args: unknown[]) => {
      calls.push(args);
      return 'Dog';
    };
    const isTypeOf = resolveType;
    const schema = createSchema(SDL, { Pet: { resolveType }, Dog: { isTypeOf } });
    const contextValue = { is: 'the context' };
    await executeBoth({ schema, text: '{ pet { name } }', root: () => ROOT, contextValue });
    const info = expect.objectContaining({});
    expect(calls.slice(0, 2)).toEqual([
      [DOG, contextValue, info, schema.getType('Pet')],
      [DOG, contextValue, info],
    ]);
    const infos = calls.map(([, , info]) => info as { fieldName: string; returnType: unknown });
    expect(infos.map(({ fieldName }) => fieldName)).toEqual(infos.map(() => 'pet'));
    expect(infos.every(({ returnType }) => String(returnType) === 'Pet')).toBe(true);
  });
});

/** Type resolvers of `Pet` that return no possible type, and the message of the error. */
const UNRESOLVED: Record<string, { returned: unknown; message: string }> = {
  undefined: { returned: undefined, message: 'Either the "Pet" type should provide' },
  null: { returned: null, message: 'Either the "Pet" type should provide' },
  'an unknown name': { returned: 'Bird', message: 'type "Bird" that does not exist' },
  'the name of a scalar': { returned: 'String', message: 'to a non-object type "String"' },
  'the name of an interface': { returned: 'Pet', message: 'to a non-object type "Pet"' },
  'the name of another object type': {
    returned: 'Person',
    message: '"Person" is not a possible type',
  },
  'an object': { returned: { name: 'Dog' }, message: 'must resolve to an Object type at runtime' },
  'a number': { returned: 7, message: 'must resolve to an Object type at runtime' },
  false: { returned: false, message: 'must resolve to an Object type at runtime' },
  'an empty name': { returned: '', message: 'type "" that does not exist' },
};

const POSITIONS: Record<string, { text: string; data: unknown; path: unknown[] }> = {
  'in a nullable field': { text: '{ pet { name } }', data: { pet: null }, path: ['pet'] },
  'in a field that is not nullable': { text: '{ must { name } }', data: null, path: ['must'] },
  'in a nullable item': {
    text: '{ pets { name } }',
    data: { pets: [null, null, null] },
    path: ['pets', 0],
  },
  'in an item that is not nullable': { text: '{ all { name } }', data: null, path: ['all', 0] },
};

describe('a value has an error if its type resolver returns', () => {
  for (const [name, { returned, message }] of Object.entries(UNRESOLVED)) {
    for (const [where, { text, data, path }] of Object.entries(POSITIONS)) {
      it(`${name} ${where}, at once or later`, async () => {
        for (const resolveType of [() => returned, async () => returned, () => slow(returned)]) {
          const schema = createSchema(SDL, { Pet: { resolveType } });
          const result = await executeBoth({ schema, text, root: () => ROOT });
          expect(result.data).toEqual(data);
          expect(result.errors?.[0]).toMatchObject({
            message: expect.stringContaining(message),
            path,
          });
        }
      });
    }
  }

  it('an object type instead of its name', async () => {
    const schema = createSchema(SDL, { Pet: { resolveType: () => schema.getType('Dog') } });
    const { errors } = await executeBoth({ schema, text: '{ pet { name } }', root: () => ROOT });
    expect(errors).toMatchObject([
      { message: expect.stringContaining('return type name instead') },
    ]);
  });
});

/** Type resolvers that fail. */
const FAILING: Record<string, Functions> = {
  'resolveType throws': { Pet: { resolveType: fail } },
  'the promise of resolveType is rejected': { Pet: { resolveType: async () => fail() } },
  'isTypeOf throws': { Dog: { isTypeOf: fail }, Cat: { isTypeOf: fail } },
  'the promise of isTypeOf is rejected': {
    Dog: { isTypeOf: async () => fail() },
    Cat: { isTypeOf: async () => fail() },
  },
  'isTypeOf throws after a promise of another type': {
    Dog: { isTypeOf: async () => false },
    Cat: { isTypeOf: fail },
  },
};

describe('a value has the error of its type resolver if', () => {
  for (const [name, functions] of Object.entries(FAILING)) {
    for (const [where, { text, data, path }] of Object.entries(POSITIONS)) {
      it(`${name} ${where}`, async () => {
        const schema = createSchema(SDL, functions);
        const result = await executeBoth({ schema, text, root: () => ROOT });
        expect(result.data).toEqual(data);
        expect(result.errors?.[0]).toMatchObject({ message: 'no type today', path });
      });
    }
  }
});

describe('a value is refused if isTypeOf rejects it', () => {
  const cases: Record<string, () => unknown> = {
    'at once': () => false,
    'for nothing returned': () => undefined,
    later: () => slow(false),
  };
  for (const [name, isTypeOf] of Object.entries(cases)) {
    it(`${name}, of an object type`, async () => {
      const schema = createSchema(SDL, { Dog: { isTypeOf } });
      const { data, errors } = await executeBoth({
        schema,
        text: '{ dog { name } }',
        root: () => ROOT,
      });
      expect(data).toEqual({ dog: null });
      expect(errors).toMatchObject([{ message: 'Expected value of type "Dog".', path: ['dog'] }]);
    });

    it(`${name}, of the type that resolveType has named`, async () => {
      const schema = createSchema(SDL, {
        Dog: { isTypeOf },
        Pet: { resolveType: () => slow('Dog') },
      });
      const { data } = await executeBoth({ schema, text: '{ pet { name } }', root: () => ROOT });
      expect(data).toEqual({ pet: null });
    });

    it(`${name}, of every possible type`, async () => {
      const schema = createSchema(SDL, { Dog: { isTypeOf }, Cat: { isTypeOf } });
      const { data, errors } = await executeBoth({
        schema,
        text: '{ pet { name } }',
        root: () => ROOT,
      });
      expect(data).toEqual({ pet: null });
      expect(errors).toMatchObject([{ message: expect.stringContaining('"isTypeOf" function') }]);
    });
  }
});

it('fields keep their order when their types arrive in another order', async () => {
  const delays: Record<string, number> = { a: 9, b: 1, c: 5 };
  const resolveType = async (value: Animal, _context: unknown, info: { path: { key: string } }) => {
    for (let tick = 0; tick < (delays[info.path.key] ?? 0); tick++) await null;
    return value.kind;
  };
  const schema = createSchema(SDL, { Pet: { resolveType } });
  const text = '{ a: pet { name } b: pet { name } c: pet { name } }';
  const { data } = await executeBoth({ schema, text, root: () => ROOT });
  expect(Object.keys(data as object)).toEqual(['a', 'b', 'c']);
});

async function slow<Value>(value: Value): Promise<Value> {
  for (let tick = 0; tick < 5; tick++) await null;
  return value;
}

function fail(): never {
  throw new Error('no type today');
}
