import { Client, fetchExchange, gql, subscriptionExchange } from '@urql/core';
import { persistedExchange } from '@urql/exchange-persisted';
import { createClient, type Sink } from 'graphql-ws';
import { expect, test } from 'vitest';
import { type AppServer, createLinksUntil, KEY, sha256, withAppServer } from './server.ts';

const VIEWER = gql`query Viewer { viewer { id kind } }`;
const CHANGES = gql`subscription Changes { mediaChanged { kind media { title } } }`;
const headers = { authorization: `Bearer ${KEY}` };
const requestPolicy = 'network-only' as const;

/** Subscribes, and expects to be told of a new link. */
async function expectChange(server: AppServer, client: Client): Promise<void> {
  const first = new Promise<unknown>((resolve) => {
    const { unsubscribe } = client.subscription(CHANGES, {}).subscribe(({ data, error }) => {
      resolve(error ?? data);
      queueMicrotask(() => unsubscribe());
    });
  });
  await createLinksUntil(server, first);
  const mediaChanged = { kind: 'CREATED', media: { title: 'A' } };
  expect(await first).toMatchObject({ mediaChanged });
}

test('fetchExchange queries, and subscribes', () =>
  withAppServer(async (server) => {
    const { url, fetch } = server;
    const client = new Client({
      ...{ url, fetch, requestPolicy, preferGetMethod: false },
      fetchOptions: { headers },
      fetchSubscriptions: true,
      exchanges: [fetchExchange],
    });
    const { data } = await client.query(VIEWER, {});
    expect(data).toMatchObject({ viewer: { kind: 'KEY' } });
    await expectChange(server, client);
  }));

test.each([true, false])(
  'persistedExchange registers a document, then sends its hash; by GET: %s',
  (isByGet) =>
    withAppServer(async (server) => {
      const { url, fetch } = server;
      const persisted = persistedExchange({
        preferGetForPersistedQueries: isByGet,
        generateHash: async (query) => sha256(query),
      });
      const client = new Client({
        ...{ url, fetch, requestPolicy, preferGetMethod: false },
        exchanges: [persisted, fetchExchange],
      });
      for (const _ of [1, 2]) {
        const { data, error } = await client.query(VIEWER, {});
        expect(error).toBeUndefined();
        expect(data).toMatchObject({ viewer: { kind: 'ANONYMOUS' } });
      }
      const method = isByGet ? 'GET' : 'POST';
      expect(server.requests.map((request) => request.method)).toEqual([method, method, method]);
      expect(`${server.requests[2]?.url}${server.requests[2]?.body}`).not.toContain('kind');
    }),
);

test('persistedExchange runs the documents of a manifest', () => {
  const text = 'query Viewer { viewer { kind } }';
  return withAppServer(
    async ({ url, fetch }) => {
      const persisted = persistedExchange({
        enforcePersistedQueries: true,
        preferGetForPersistedQueries: false,
        generateHash: async (_, { definitions: [first] }) =>
          first && 'name' in first && first.name?.value === 'Viewer' ? 'viewer-hash' : 'other',
      });
      const client = new Client({
        ...{ url, fetch, requestPolicy, preferGetMethod: false },
        exchanges: [persisted, fetchExchange],
      });
      expect((await client.query(text, {})).data).toMatchObject({ viewer: { kind: 'ANONYMOUS' } });
      const { error } = await client.query('query Tags { tags { totalCount } }', {});
      expect(error?.graphQLErrors[0]?.extensions.code).toBe('PERSISTED_QUERY_ONLY');
    },
    { manifest: { 'viewer-hash': text } },
  );
});

test('subscriptionExchange subscribes over WebSocket', () =>
  withAppServer(async (server) => {
    const { url } = server;
    const connectionParams = { authorization: `Bearer ${KEY}` };
    const socket = createClient({ url: url.replace('http', 'ws'), connectionParams });
    const client = new Client({
      ...{ url, preferGetMethod: false },
      exchanges: [
        subscriptionExchange({
          forwardSubscription: ({ query = '', variables }) => ({
            subscribe: (sink) => ({
              unsubscribe: socket.subscribe(
                { query, variables: variables ?? {} },
                // The two packages describe the same results differently.
                sink as unknown as Sink,
              ),
            }),
          }),
        }),
      ],
    });
    await expectChange(server, client);
    await socket.dispose();
  }));
