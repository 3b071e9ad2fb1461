import { createSourceEventStream, type ExecutionResult, parse, subscribe } from 'graphql';
import { describe, expect, it } from 'vitest';
import { createExecute } from '../../../src/graphql/execution/execute.ts';
import { createSchema, expectSameResult } from '../../support/execution.ts';

const SDL = `
  type Query { inbox: Inbox }
  type Inbox { unread: Int total: Int! }
  type Email { from: String subject: String! }
  type Event { email: Email inbox: Inbox }
  type Subscription { event(priority: Int = 0): Event must: Event! }
`;

/** Events of a source, each the root value of one execution. */
const EVENTS: Record<string, () => unknown> = {
  'an object': () => ({
    event: { email: { from: 'a', subject: 's' }, inbox: { unread: 1, total: 2 } },
  }),
  'functions and promises': () => ({
    event: async () => ({ email: () => ({ from: async () => 'a', subject: 's' }) }),
  }),
  'an event without the field': () => ({}),
  'an event that is null': () => null,
  'a field that fails': () => ({ event: { email: { from: () => raise(), subject: 's' } } }),
  'a null that goes up': () => ({
    event: { email: { from: 'a', subject: null }, inbox: { total: async () => raise() } },
  }),
  'a field that fails as a whole': () => ({ event: async () => raise() }),
};

const DOCUMENTS: Record<string, string> = {
  'a field':
    'subscription ($p: Int) { event(priority: $p) { email { from subject } inbox { unread total } } }',
  'an alias and a fragment':
    'subscription { e: event { ...F } } fragment F on Event { inbox { total } email { subject } }',
  'a field that is not nullable': 'subscription { must { email { subject } } }',
  'a field that is left out':
    'subscription ($p: Int = 1) { event { email @skip(if: true) { from } } }',
};

describe('each event has the result of graphql-js', () => {
  for (const [name, text] of Object.entries(DOCUMENTS)) {
    it(name, async () => {
      const create = () =>
        async function* () {
          for (const event of Object.values(EVENTS)) yield event();
        };
      const schema = createSchema(SDL, {});
      for (const field of Object.values(schema.getSubscriptionType()?.getFields() ?? {}))
        field.subscribe = create();
      const args = { schema, document: parse(text), variableValues: { p: 1 } };
      const source = await createSourceEventStream(args);
      const expected = await subscribe(args);
      if (!(Symbol.asyncIterator in source && Symbol.asyncIterator in expected))
        throw new Error('no stream');
      const execute = createExecute(schema);
      const results = expected[Symbol.asyncIterator]();
      let count = 0;
      for await (const rootValue of source) {
        const { value } = (await results.next()) as IteratorYieldResult<ExecutionResult>;
        expectSameResult(
          await execute({ ...args, rootValue }),
          value,
          Object.keys(EVENTS)[count++],
        );
      }
      expect(count).toBe(Object.keys(EVENTS).length);
      expect(await results.next()).toMatchObject({ done: true });
    });
  }
});

it('several fields are executed together, as those of a query', async () => {
  const schema = createSchema(SDL, {});
  const document = parse(
    'subscription { event { inbox { total } } other: event { inbox { unread } } }',
  );
  const rootValue = { event: async () => ({ inbox: { total: 2, unread: 1 } }) };
  const { data } = await createExecute(schema)({ schema, document, rootValue });
  expect(data).toEqual({ event: { inbox: { total: 2 } }, other: { inbox: { unread: 1 } } });
});

function raise(): never {
  throw new Error('failed');
}
