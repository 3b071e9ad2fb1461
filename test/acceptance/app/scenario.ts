import { ApolloClient, ApolloLink, gql, HttpLink, InMemoryCache } from '@apollo/client';
import { BatchHttpLink } from '@apollo/client/link/batch-http';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { relayStylePagination } from '@apollo/client/utilities';
import { Client, fetchExchange } from '@urql/core';
import { cacheExchange } from '@urql/exchange-graphcache';
import { relayPagination } from '@urql/exchange-graphcache/extras';
import { persistedExchange } from '@urql/exchange-persisted';
// @ts-expect-error: the package has no types.
import UploadHttpLink from 'apollo-upload-client/UploadHttpLink.mjs';
import { GraphQLClient } from 'graphql-request';
import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createSocketClient } from 'graphql-ws';
import { askRelay, type RelaySend, tagsRequest } from './relay-client.ts';

/** What a scenario needs of its server, which has three tags and nothing else. */
export interface Place {
  /** Of GraphQL, on another origin than the page. */
  url: string;
  /** `introspectionFromSchema` of the server's schema. */
  introspection: object;
}

const TAGS = `query Tags($first: Int, $after: String) {
  tags(first: $first, after: $after, orderBy: NAME) {
    edges { cursor node { id name } }
    pageInfo { endCursor hasNextPage hasPreviousPage startCursor }
  }
}`;
const VIEWER = 'query Viewer { viewer { id kind } }';
const UPLOAD = `mutation Upload($file: Upload!) {
  uploadFile(input: { file: $file }) {
    ... on UploadFileSuccess { media { name file { sizeBytes } } }
    ... on Error { message }
  }
}`;
const CHANGES = 'subscription Changes { mediaChanged { kind media { name } } }';

const preflight = { 'apollo-require-preflight': 'true' };

/** Uses of a server by the clients that people have. Each returns what the client has got. They run in Node and browsers. */
export const SCENARIOS: Readonly<Record<string, (place: Place) => Promise<unknown>>> = {
  'Apollo Client: fetchMore': async ({ url }) => {
    const typePolicies = { Query: { fields: { tags: relayStylePagination(['orderBy']) } } };
    const cache = new InMemoryCache({ typePolicies });
    const client = new ApolloClient({ cache, link: new HttpLink({ uri: url }) });
    const list = client.watchQuery<TagList>({ query: gql(TAGS), variables: { first: 2 } });
    const { data } = await list.refetch();
    await list.fetchMore({ variables: { after: data?.tags.pageInfo.endCursor } });
    return namesOf(list.getCurrentResult().data as TagList);
  },
  'Apollo Client: upload': async ({ url }) => {
    const link = new UploadHttpLink({ uri: url, headers: preflight });
    const client = new ApolloClient({ cache: new InMemoryCache(), link });
    const { data } = await client.mutate({ mutation: gql(UPLOAD), variables: { file: file() } });
    return (data as Uploaded).uploadFile.media;
  },
  'Apollo Client: subscription by its default': async ({ url }) => {
    const client = new ApolloClient({
      cache: new InMemoryCache(),
      link: new HttpLink({ uri: url }),
    });
    return firstChange(url, (next, fail) => {
      const changes = client.subscribe({ query: gql(CHANGES) });
      const subscription = changes.subscribe({
        next: ({ data, error }) => (error ? fail(error) : next(data)),
        error: fail,
      });
      return () => subscription.unsubscribe();
    });
  },
  'Apollo Client: persisted queries': async ({ url }) => {
    const persisted = new PersistedQueryLink({ sha256, useGETForHashedQueries: true });
    const link = ApolloLink.from([persisted, new HttpLink({ uri: url })]);
    const client = new ApolloClient({ cache: new InMemoryCache(), link });
    const ask = () => client.query<TagList>({ query: gql(TAGS), fetchPolicy: 'network-only' });
    await ask();
    return namesOf((await ask()).data as TagList);
  },
  'Apollo Client: batch': async ({ url }) => {
    const link = new BatchHttpLink({ uri: url, batchMax: 10 });
    const client = new ApolloClient({ cache: new InMemoryCache(), link });
    const [viewer, tags] = await Promise.all([
      client.query<{ viewer: { kind: string } }>({ query: gql(VIEWER) }),
      client.query<TagList>({ query: gql(TAGS) }),
    ]);
    return { kind: viewer.data?.viewer.kind, tags: namesOf(tags.data as TagList) };
  },
  'urql: upload': async ({ url }) => {
    const client = urql(url);
    const { data, error } = await client.mutation<Uploaded>(UPLOAD, { file: file() });
    return data?.uploadFile.media ?? error?.message;
  },
  'urql: persisted queries': async ({ url }) => {
    const persisted = persistedExchange({ preferGetForPersistedQueries: true });
    const client = urql(url, [persisted, fetchExchange]);
    await client.query<TagList>(TAGS, {}).toPromise();
    return namesOf((await client.query<TagList>(TAGS, {}).toPromise()).data);
  },
  'urql: graphcache with the schema, and pages': async ({ url, introspection }) => {
    const cache = cacheExchange({
      schema: introspection as never,
      resolvers: { Query: { tags: relayPagination() } },
    });
    const client = urql(url, [cache, fetchExchange]);
    const first = await client.query<TagList>(TAGS, { first: 2 }).toPromise();
    const after = first.data?.tags.pageInfo.endCursor;
    const both = await client.query<TagList>(TAGS, { first: 2, after }).toPromise();
    return namesOf(both.data);
  },
  'urql: subscription': ({ url }) =>
    firstChange(url, (next, fail) => {
      const changes = urql(url).subscription(CHANGES, {});
      const { unsubscribe } = changes.subscribe(({ data, error }) =>
        error ? fail(error) : next(data),
      );
      return unsubscribe;
    }),
  'Relay: a connection': async ({ url }) => {
    const send: RelaySend = async ({ text }, variables) => {
      const headers = { 'content-type': 'application/json' };
      const body = JSON.stringify({ query: text, variables });
      return (await fetch(url, { method: 'POST', headers, body })).json();
    };
    return namesOf((await askRelay(send, tagsRequest())) as TagList);
  },
  'graphql-request: POST and GET': async ({ url }) => {
    const { tags } = await new GraphQLClient(url).request<TagList>(TAGS);
    const byGet = new GraphQLClient(url, { method: 'GET' });
    return [namesOf({ tags }), namesOf(await byGet.request<TagList>(TAGS))];
  },
  'graphql-sse: distinct connections': ({ url }) =>
    firstChange(url, (next, fail) => {
      const client = createSseClient({ url });
      return client.subscribe(
        { query: CHANGES },
        { next: ({ data }) => next(data), error: fail, complete: () => undefined },
      );
    }),
  'graphql-sse: a single connection': ({ url }) =>
    firstChange(url, (next, fail) => {
      const client = createSseClient({ url, singleConnection: true });
      return client.subscribe(
        { query: CHANGES },
        { next: ({ data }) => next(data), error: fail, complete: () => undefined },
      );
    }),
  'graphql-ws': ({ url }) =>
    firstChange(url, (next, fail) => {
      const client = createSocketClient({ url: url.replace('http', 'ws'), retryAttempts: 0 });
      return client.subscribe(
        { query: CHANGES },
        { next: ({ data }) => next(data), error: fail, complete: () => undefined },
      );
    }),
};

interface TagList {
  tags: {
    edges: { node: { name: string } }[];
    pageInfo: { endCursor: string | null };
  };
}

interface Uploaded {
  uploadFile: { media: object };
}

function namesOf(data: TagList | undefined): string[] | undefined {
  return data?.tags.edges.map(({ node }) => node.name);
}

function file(): File {
  return new File(['Hello'], 'hello.txt', { type: 'text/plain' });
}

function urql(url: string, exchanges = [fetchExchange]): Client {
  const fetchOptions = { headers: preflight };
  return new Client({
    url,
    exchanges,
    fetchOptions,
    fetchSubscriptions: true,
    preferGetMethod: false,
  });
}

async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

type Subscribe = (next: (data: unknown) => void, fail: (error: unknown) => void) => () => void;

/**
 * Subscribes, and uploads files until the first change arrives: a client does not say when the server has accepted its
 * subscription.
 */
async function firstChange(url: string, subscribe: Subscribe): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const stop = subscribe(resolve, reject);
  let isThere = false;
  const done = promise.finally(() => {
    isThere = true;
  });
  const client = urql(url);
  try {
    while (!isThere) {
      await client.mutation(UPLOAD, { file: file() });
      await Promise.race([done, new Promise((wake) => setTimeout(wake, 50))]);
    }
    return await done;
  } finally {
    stop();
  }
}
