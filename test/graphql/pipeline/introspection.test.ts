import { getIntrospectionQuery } from 'graphql';
import { describe, it } from 'vitest';
import { expectAllowed, expectRefused, run } from './operation.ts';

describe('introspection', () => {
  const OFF = { TRIVIUM_GRAPHIQL: 'off' };

  it.each([
    '{ __schema { queryType { name } } }',
    '{ __type(name: "Media") { name } }',
    '{ ... on Query { ...F } } fragment F on Query { x: __schema { queryType { name } } }',
    getIntrospectionQuery(),
  ])('is refused with GraphiQL off: %s', (query) =>
    run((app) => expectRefused(app, 'INTROSPECTION_DISABLED', query), OFF),
  );

  it('of the type of an answer is always allowed', () =>
    run((app) => expectAllowed(app, '{ __typename viewer { __typename } }'), OFF));

  it('may be as deep as types of types are', () =>
    run((app) =>
      expectAllowed(
        app,
        `{ __schema { types { name ${'ofType { '.repeat(20)} name ${'}'.repeat(20)} } } }`,
      ),
    ));

  it('is on in open mode', () =>
    run((app) => expectAllowed(app, '{ __schema { queryType { name } } }')));
});
