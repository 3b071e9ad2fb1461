import { describe, expect, it } from 'vitest';
import { createSchema, executeBoth } from '../../support/execution.ts';

const SDL = `
  interface Life { progeny: [Life] }
  interface Named { name: String }
  interface Mammal implements Life { progeny: [Mammal] mother: Mammal father: Mammal }
  type Dog implements Mammal & Life & Named { name: String barks: Boolean progeny: [Dog] mother: Dog father: Dog }
  type Cat implements Mammal & Life & Named { name: String meows: Boolean progeny: [Cat] mother: Cat father: Cat }
  union Pet = Dog | Cat
  type Person implements Mammal & Life & Named {
    name: String  pets: [Pet]  friends: [Named]  progeny: [Person]  mother: Person  father: Person
  }
  type Query { person: Person }
`;

const OLD = { __typename: 'Cat', name: 'Tom', meows: true, progeny: [] };
const GARFIELD = { __typename: 'Cat', name: 'Garfield', meows: false, mother: OLD, progeny: [] };
const ODIE = { __typename: 'Dog', name: 'Odie', barks: true, mother: null, progeny: [] };
const LIZ = { __typename: 'Person', name: 'Liz', pets: [], friends: [] };
const JOHN = {
  __typename: 'Person',
  name: 'John',
  pets: [GARFIELD, ODIE],
  friends: [LIZ, ODIE],
  mother: LIZ,
};

/** Selections of a person, and their data. */
const CASES: Record<string, { text: string; data: unknown }> = {
  'a union without fragments': {
    text: 'pets { __typename }',
    data: { pets: [{ __typename: 'Cat' }, { __typename: 'Dog' }] },
  },
  'a union with inline fragments': {
    text: 'pets { __typename ... on Dog { name barks } ... on Cat { name meows } }',
    data: {
      pets: [
        { __typename: 'Cat', name: 'Garfield', meows: false },
        { __typename: 'Dog', name: 'Odie', barks: true },
      ],
    },
  },
  'a union with fragments of interfaces': {
    text: `pets { ... on Named { name } ... on Mammal {
      mother { __typename ... on Named { name } ... on Cat { meows } }
    } }`,
    data: {
      pets: [
        { name: 'Garfield', mother: { __typename: 'Cat', name: 'Tom', meows: true } },
        { name: 'Odie', mother: null },
      ],
    },
  },
  'an interface': {
    text: 'friends { __typename name }',
    data: {
      friends: [
        { __typename: 'Person', name: 'Liz' },
        { __typename: 'Dog', name: 'Odie' },
      ],
    },
  },
  'an interface with inline fragments': {
    text: 'friends { name ... on Dog { barks } ... on Cat { meows } ... on Person { pets { __typename } } }',
    data: {
      friends: [
        { name: 'Liz', pets: [] },
        { name: 'Odie', barks: true },
      ],
    },
  },
  'an interface in an interface': {
    text: 'mother { ... on Mammal { progeny { __typename } } } friends { ... on Life { progeny { __typename } } }',
    data: { mother: { progeny: null }, friends: [{ progeny: null }, { progeny: [] }] },
  },
  'fragment conditions that are the type itself, an interface, a union, and another type': {
    text: 'a: name ... on Person { b: name } ... on Named { c: name } ... on Pet { d: __typename } ... on Dog { e: name }',
    data: { a: 'John', b: 'John', c: 'John' },
  },
  'the same field by fragments of several types': {
    text: 'pets { ... on Dog { name mother { name } } ... on Cat { name mother { meows } } ... on Mammal { mother { __typename } } }',
    data: {
      pets: [
        { name: 'Garfield', mother: { meows: true, __typename: 'Cat' } },
        { name: 'Odie', mother: null },
      ],
    },
  },
};

describe('fragments on', () => {
  for (const [name, { text, data }] of Object.entries(CASES)) {
    it(name, async () => {
      const schema = createSchema(SDL, { Query: { person: () => JOHN } });
      const inline = await executeBoth({ schema, text: `{ person { ${text} } }` });
      expect(inline).toEqual({ data: { person: data } });
      const spread = `{ person { ...F } } fragment F on Person { ${text} }`;
      expect(await executeBoth({ schema, text: spread })).toEqual(inline);
      const several = `{ person { __typename ...F } person { ...F } } fragment F on Person { ${text} }`;
      const expected = { person: { __typename: 'Person', ...(data as object) } };
      expect((await executeBoth({ schema, text: several })).data).toEqual(expected);
    });
  }
});
