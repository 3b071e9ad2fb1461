import { getIntrospectionQuery } from 'graphql';
import { describe, expect, it } from 'vitest';
import { graphql } from '../../support/graphql.ts';
import { call } from '../viewer/credential.ts';
import { expectAllowed, expectRefused, run } from './operation.ts';

describe('introspection', () => {
  const OFF = { TRIVIUM_GRAPHIQL: 'off' };

  it.each([
    '{ __schema { queryType { name } } }',
    '{ __type(name: "Media") { name } }',
    '{ ... on Query { ...F } } fragment F on Query { x: __schema { queryType { name } } }',
    getIntrospectionQuery(),
  ])('is refused without a credential when GraphiQL is disabled: %s', (query) =>
    run((app) => expectRefused(app, 'INTROSPECTION_DISABLED', query), OFF),
  );

  it('of `__typename` is always allowed', () =>
    run((app) => expectAllowed(app, '{ __typename viewer { __typename } }'), OFF));

  it('may be deeper than other operations', () =>
    run((app) =>
      expectAllowed(
        app,
        `{ __schema { types { name ${'ofType { '.repeat(20)} name ${'}'.repeat(20)} } } }`,
      ),
    ));

  it('is enabled in open mode', () =>
    run((app) => expectAllowed(app, '{ __schema { queryType { name } } }')));

  it.each(['open', 'required'])(
    'is for every valid credential when GraphiQL is disabled, %s',
    (TRIVIUM_AUTH) =>
      run(
        async (app) => {
          const query = getIntrospectionQuery();
          await expectRefused(app, 'INTROSPECTION_DISABLED', query);
          const response = await app.fetch('/graphql', {
            method: 'POST',
            asAdmin: true,
            ...json(query),
          });
          expect(((await response.json()) as { data: object }).data).toHaveProperty(
            '__schema.types',
          );
          // The answer to the admin is in the cache, and stays for those with a credential.
          await expectRefused(app, 'INTROSPECTION_DISABLED', query);
          const { key } = await call(
            app,
            'createApiKey',
            { name: 'codegen', role: 'READER' },
            'key',
          );
          const answer = await graphql(app, query, {}, { authorization: `Bearer ${key}` });
          expect(answer.data).toHaveProperty('__schema.types');
          const wrong = await graphql(app, query, {}, { authorization: 'Bearer tvm_no-key' });
          expect(wrong.status).toBe(401);
        },
        { ...OFF, TRIVIUM_AUTH },
      ),
  );
});

const json = (query: string) => ({
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ query }),
});
