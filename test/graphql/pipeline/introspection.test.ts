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
  ])('is refused when GraphiQL is disabled: %s', (query) =>
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
});
