import { buildClientSchema, buildSchema, getIntrospectionQuery, printSchema } from 'graphql';
import { describe, expect, it } from 'vitest';
import { schema } from '../../../src/graphql/schema.ts';
import { executeBoth } from '../../support/execution.ts';

const SDL = `
  type Query { article(id: ID!): Article feed: [Article] }
  type Article { id: String! isPublished: Boolean author: Author title: String keywords: [String] }
  type Author { id: String name: String recent: Article pic(width: Int, height: Int): Image }
  type Image { url: String width: Int height: Int }
`;

const OPTIONS = {
  descriptions: true,
  specifiedByUrl: true,
  directiveIsRepeatable: true,
  schemaDescription: true,
  inputValueDeprecation: true,
  oneOf: true,
};

/** Documents about the schema, and their data. */
const CASES: Record<string, { text: string; data: unknown }> = {
  'a type': {
    text: '{ __type(name: "Image") { kind name fields { name } } }',
    data: {
      __type: {
        kind: 'OBJECT',
        name: 'Image',
        fields: ['url', 'width', 'height'].map((name) => ({ name })),
      },
    },
  },
  'no such type': { text: '{ __type(name: "None") { name } }', data: { __type: null } },
  'the root types': {
    text: '{ __schema { queryType { name } mutationType { name } } __typename }',
    data: { __schema: { queryType: { name: 'Query' }, mutationType: null }, __typename: 'Query' },
  },
  'meta fields of the root, not of other objects': {
    text: '{ feed { __schema { queryType { name } } id __typename } }',
    data: { feed: [{ id: '1', __typename: 'Article' }] },
  },
};

describe('introspection describes', () => {
  for (const [name, { text, data }] of Object.entries(CASES)) {
    it(name, async () => {
      const result = await executeBoth({ schema: SDL, text, root: () => ({ feed: [{ id: 1 }] }) });
      expect(result).toEqual({ data });
    });
  }

  for (const [name, built] of Object.entries({
    'a small schema': buildSchema(SDL),
    'our schema': schema,
  })) {
    it(`all of ${name}`, async () => {
      const { data } = await executeBoth({ schema: built, text: getIntrospectionQuery(OPTIONS) });
      expect(printSchema(buildClientSchema(data as never))).toBe(printSchema(built));
    });
  }
});

it('objects of several levels, with arguments, fragments and lists', async () => {
  const article = (id: number): object => ({
    id: `${id}`,
    isPublished: true,
    author: async () => ({ id: '123', name: 'John', pic, recent: () => article(1) }),
    title: `Article ${id}`,
    keywords: ['foo', 'bar', 1, true, null],
  });
  const pic = ({ width, height }: { width: number; height: number }) => ({
    url: 'pic',
    width,
    height: `${height}`,
  });
  const root = () => ({
    article: ({ id }: { id: number }) => article(id),
    feed: [1, 2].map(article),
  });
  const text = `{
    feed { id title }
    article(id: "1") {
      ...Fields
      author { id name pic(width: 640, height: 480) { url width height } recent { ...Fields keywords } }
    }
  }
  fragment Fields on Article { __typename id isPublished title hidden }`;
  const { data } = await executeBoth({ schema: SDL, text, root });
  const fields = { __typename: 'Article', id: '1', isPublished: true, title: 'Article 1' };
  const recent = { ...fields, keywords: ['foo', 'bar', '1', 'true', null] };
  const image = { url: 'pic', width: 640, height: 480 };
  expect(data).toEqual({
    feed: [
      { id: '1', title: 'Article 1' },
      { id: '2', title: 'Article 2' },
    ],
    article: { ...fields, author: { id: '123', name: 'John', pic: image, recent } },
  });
});
