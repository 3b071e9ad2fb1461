import { ApolloClient, ApolloLink, gql, HttpLink, InMemoryCache } from '@apollo/client';
import { BatchHttpLink } from '@apollo/client/link/batch-http';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { createClient } from 'graphql-ws';
import { expect, test } from 'vitest';
import { type AppServer, createLinksUntil, KEY, sha256, withAppServer } from './server.ts';

const VIEWER = gql`query Viewer { viewer { id kind } }`;
const TAGS = gql`query Tags { tags { totalCount } }`;
const CREATE_TAG = gql`
  mutation CreateTag($name: String!) {
    createTag(input: { name: $name }) { ... on CreateTagSuccess { tag { name } } ... on Error { message } }
  }
`;
const CHANGES = gql`subscription Changes { mediaChanged { kind media { title } } }`;
const headers = { authorization: `Bearer ${KEY}` };

function createApollo(link: ApolloLink): ApolloClient {
  const defaultOptions = { query: { fetchPolicy: 'no-cache' } } as const;
  return new ApolloClient({ cache: new InMemoryCache(), link, defaultOptions });
}

/** Subscribes, and returns the first result. */
function firstResult(client: ApolloClient): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const subscription = client.subscribe({ query: CHANGES }).subscribe({
      next: ({ data, error }) => {
        subscription.unsubscribe();
        if (error) reject(error);
        else resolve(data);
      },
      error: reject,
      complete: () => reject(new Error('The subscription has ended.')),
    });
  });
}

const change = {
  mediaChanged: expect.objectContaining({
    kind: 'CREATED',
    media: expect.objectContaining({ title: 'A' }),
  }),
};

async function expectChange(server: AppServer, client: ApolloClient): Promise<void> {
  const first = firstResult(client);
  await createLinksUntil(server, first);
  expect(await first).toEqual(change);
  client.stop();
}

test('HttpLink queries, changes, and subscribes by its default: multipart', () =>
  withAppServer(async (server) => {
    const client = createApollo(new HttpLink({ uri: server.url, fetch: server.fetch, headers }));
    const { data } = await client.query({ query: VIEWER });
    expect(data).toMatchObject({ viewer: { kind: 'KEY' } });
    const created = await client.mutate({ mutation: CREATE_TAG, variables: { name: 'sea' } });
    expect(created.data).toMatchObject({ createTag: { tag: { name: 'sea' } } });
    await expectChange(server, client);
  }));

test('HttpLink is told when the server ends its subscription', () =>
  withAppServer(async (server) => {
    const client = createApollo(new HttpLink({ uri: server.url, headers }));
    const ended = Promise.withResolvers<unknown>();
    const seen = Promise.withResolvers<void>();
    client.subscribe({ query: CHANGES }).subscribe({
      next: ({ error }) => (error ? ended.resolve(error) : seen.resolve()),
      error: ended.resolve,
    });
    await createLinksUntil(server, seen.promise);
    expect(await server.stop()).toBe(0);
    expect(await ended.promise).toMatchObject({
      errors: [{ extensions: { code: 'STREAM_ENDED' } }],
    });
  }));

test.each([
  ['POST', false],
  ['GET', true],
])('PersistedQueryLink registers a document, then sends its hash, by %s', (method, isByGet) =>
  withAppServer(async (server) => {
    const options = { sha256, useGETForHashedQueries: isByGet };
    const http = new HttpLink({ uri: server.url, fetch: server.fetch });
    const client = createApollo(ApolloLink.from([new PersistedQueryLink(options), http]));
    for (const _ of [1, 2]) {
      const { data } = await client.query({ query: VIEWER });
      expect(data).toMatchObject({ viewer: { kind: 'ANONYMOUS' } });
    }
    const [first, registration, second, ...rest] = server.requests;
    expect(rest).toEqual([]);
    expect([first?.method, registration?.method, second?.method]).toEqual([method, 'POST', method]);
    expect(registration?.body).toContain('"query"');
    for (const request of [first, second]) {
      expect(`${request?.url}${request?.body}`).not.toContain('kind');
      expect(request?.status).toBe(200);
    }
  }),
);

test('PersistedQueryLink runs the documents of a manifest of Apollo, and no others', () =>
  withAppServer(
    async (server) => {
      const http = new HttpLink({ uri: server.url, fetch: server.fetch });
      const generateHash = () => 'viewer-1';
      const client = createApollo(
        ApolloLink.from([new PersistedQueryLink({ generateHash }), http]),
      );
      const { data } = await client.query({ query: VIEWER });
      expect(data).toMatchObject({ viewer: { kind: 'ANONYMOUS' } });
      const other = createApollo(http).query({ query: TAGS });
      await expect(other).rejects.toMatchObject({
        errors: [{ extensions: { code: 'PERSISTED_QUERY_ONLY' } }],
      });
    },
    {
      manifest: {
        format: 'apollo-persisted-query-manifest',
        version: 1,
        operations: [
          { id: 'viewer-1', name: 'Viewer', type: 'query', body: VIEWER.loc?.source.body },
        ],
      },
    },
  ));

test('BatchHttpLink sends several operations in one request', () =>
  withAppServer(async (server) => {
    const link = new BatchHttpLink({
      ...{ uri: server.url, fetch: server.fetch, headers },
      ...{ batchMax: 10, batchInterval: 20 },
    });
    const client = createApollo(link);
    const [viewer, created, tags, wrong] = await Promise.all([
      client.query({ query: VIEWER }),
      client.mutate({ mutation: CREATE_TAG, variables: { name: 'sea' } }),
      client.query({ query: TAGS }),
      client.query({ query: gql`{ nothing }`, errorPolicy: 'all' }),
    ]);
    expect(server.requests).toHaveLength(1);
    expect(viewer.data).toMatchObject({ viewer: { kind: 'KEY' } });
    expect(created.data).toMatchObject({ createTag: { tag: { name: 'sea' } } });
    expect(tags.data).toMatchObject({ tags: { totalCount: 1 } });
    expect(wrong.error?.message).toContain('Cannot query field "nothing"');
  }));

test('GraphQLWsLink subscribes over WebSocket', () =>
  withAppServer(async (server) => {
    const connectionParams = { authorization: `Bearer ${KEY}` };
    const socket = createClient({ url: server.url.replace('http', 'ws'), connectionParams });
    await expectChange(server, createApollo(new GraphQLWsLink(socket)));
    await socket.dispose();
  }));
