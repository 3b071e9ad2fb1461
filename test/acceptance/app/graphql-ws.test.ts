import { createClient } from 'graphql-ws';
import { expect, test } from 'vitest';
import { createLinksUntil, KEY, withAppServer } from './server.ts';

const CHANGES = 'subscription { mediaChanged { kind media { title } } }';
const connectionParams = { authorization: `Bearer ${KEY}` };
const socketUrl = (url: string) => url.replace('http', 'ws');

test('graphql-ws queries, changes and subscribes on one connection', () =>
  withAppServer(async (server) => {
    const connections: number[] = [];
    const client = createClient({
      ...{ url: socketUrl(server.url), connectionParams, lazy: false },
      on: { connected: () => void connections.push(1) },
    });
    const one = async (query: string, variables = {}) =>
      (await client.iterate<Record<string, unknown>>({ query, variables }).next()).value?.data;
    expect(await one('{ viewer { kind } }')).toEqual({ viewer: { kind: 'KEY' } });
    const created = await one(
      'mutation ($name: String!) { createTag(input: { name: $name }) { __typename } }',
      { name: 'sea' },
    );
    expect(created).toEqual({ createTag: { __typename: 'CreateTagSuccess' } });
    const subscriptions = ['a', 'b'].map(() => client.iterate({ query: CHANGES }));
    const results = Promise.all(subscriptions.map((each) => each.next()));
    await createLinksUntil(server, results);
    for (const { value } of await results) {
      expect(value).toMatchObject({
        data: { mediaChanged: { kind: 'CREATED', media: { title: 'A' } } },
      });
    }
    for (const each of subscriptions) await each.return?.();
    await client.dispose();
    expect(connections).toHaveLength(1);
  }));

test('graphql-ws gets the errors of a malformed operation, and the connection stays', () =>
  withAppServer(async ({ url }) => {
    const client = createClient({ url: socketUrl(url), lazy: false, retryAttempts: 0 });
    const wrong = client.iterate({ query: '{ nothing }' }).next();
    await expect(wrong).rejects.toMatchObject([
      { extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } },
    ]);
    const right = await client.iterate({ query: '{ viewer { kind } }' }).next();
    expect(right.value?.data).toEqual({ viewer: { kind: 'ANONYMOUS' } });
    await client.dispose();
  }));

test('a wrong credential closes the connection with 4403', () =>
  withAppServer(async ({ url }) => {
    const authorization = 'Bearer tvm_wrong-key-of-the-test';
    const client = createClient({
      ...{ url: socketUrl(url), connectionParams: { authorization }, retryAttempts: 0 },
    });
    const first = client.iterate({ query: '{ viewer { kind } }' }).next();
    await expect(first).rejects.toMatchObject({ code: 4403 });
    await client.dispose();
  }));

test('a server that stops closes the connection with 1001, and does not wait for it', () =>
  withAppServer(async (server) => {
    const closed = Promise.withResolvers<unknown>();
    const client = createClient({
      ...{ url: socketUrl(server.url), connectionParams, retryAttempts: 0 },
      on: { closed: (event) => closed.resolve(event) },
    });
    const subscription = client.iterate({ query: CHANGES });
    const first = subscription.next();
    await createLinksUntil(server, first);
    const next = subscription.next();
    next.catch(() => undefined);
    expect(await server.stop()).toBe(0);
    expect(await closed.promise).toMatchObject({ code: 1001 });
  }));
