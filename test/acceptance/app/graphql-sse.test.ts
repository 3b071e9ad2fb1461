import { createClient } from 'graphql-sse';
import { expect, test } from 'vitest';
import { createLinksUntil, KEY, withAppServer } from './server.ts';

const headers = { authorization: `Bearer ${KEY}` };
const CHANGES = 'subscription { mediaChanged { kind media { title } } }';

test.each([
  ['in the distinct connections mode', false],
  ['in the single connection mode', true],
])('graphql-sse queries, changes and subscribes %s', (_, singleConnection) =>
  withAppServer(async (server) => {
    const client = createClient<boolean>({
      url: server.url,
      ...{ headers, singleConnection, retryAttempts: 0, fetchFn: server.fetch },
    });
    const one = async (query: string) => {
      for await (const result of client.iterate<Record<string, unknown>>({ query })) return result;
      return null;
    };
    expect(await one('{ viewer { kind } }')).toMatchObject({
      data: { viewer: { kind: 'KEY' } },
    });
    const created = await one(
      'mutation { createTag(input: { name: "sea" }) { ... on CreateTagSuccess { tag { name } } } }',
    );
    expect(created?.data).toEqual({ createTag: { tag: { name: 'sea' } } });

    const subscriptions = ['a', 'b'].map(() => client.iterate({ query: CHANGES }));
    const results = Promise.all(subscriptions.map((each) => each.next()));
    await createLinksUntil(server, results);
    for (const { value } of await results) {
      expect(value).toMatchObject({
        data: { mediaChanged: { kind: 'CREATED', media: { title: 'A' } } },
      });
    }
    for (const each of subscriptions) await each.return?.();
    const streams = server.requests.filter(({ method }) => method === 'PUT');
    // A lazy client closes its stream with the last operation.
    expect(streams.length > 0).toBe(singleConnection);
    client.dispose();
  }),
);

test('graphql-sse is told of a malformed operation in both modes', () =>
  withAppServer(async ({ url }) => {
    for (const singleConnection of [false, true]) {
      const client = createClient<boolean>({ url, singleConnection, retryAttempts: 0 });
      const first = client.iterate({ query: '{ nothing }' }).next();
      if (singleConnection) await expect(first).rejects.toThrow();
      else expect((await first).value?.errors).toHaveLength(1);
      client.dispose();
    }
  }));
