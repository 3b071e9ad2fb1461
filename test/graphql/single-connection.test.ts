import { expect, test, vi } from 'vitest';
import { type TestApp, withApp } from '../support/app.ts';
import { BACKENDS, describeEachBackend } from '../support/backend.ts';
import { graphql } from '../support/graphql.ts';
import { sendWith } from '../support/raw-request.ts';
import { allFreed, createUrl, MEDIA_CHANGED } from './subscribe.ts';

const SQLITE = BACKENDS[0]!;
const HEADER = 'x-graphql-event-stream-token';
type Headers = Record<string, string>;

async function reserve(app: TestApp, headers: Headers = {}): Promise<string> {
  const response = await app.fetch('/graphql', { method: 'PUT', headers });
  expect([response.status, response.headers.get('content-type')]).toEqual([
    201,
    'text/plain; charset=utf-8',
  ]);
  return response.text();
}

/** Opens the stream of a token; `next` returns the next event. */
async function open(app: TestApp, token: string, headers: Headers = {}) {
  const abort = new AbortController();
  const response = await app.fetch(`/graphql?token=${token}`, {
    headers: { accept: 'text/event-stream', ...headers },
    signal: abort.signal,
  });
  const events = readEvents(response);
  return { response, close: () => abort.abort(), next: async () => (await events.next()).value };
}

async function* readEvents({ body }: Response) {
  let text = '';
  for await (const chunk of body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const [, event, data] = /^event: (.*)\ndata: (.*)$/.exec(block) ?? [];
      if (event !== undefined) yield { event, ...JSON.parse(data ?? '') };
    }
  }
}

async function operate(
  app: TestApp,
  token: string,
  { id, query, headers = {} }: { id?: unknown; query: string; headers?: Headers },
) {
  const response = await app.fetch('/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json', [HEADER]: token, ...headers },
    body: JSON.stringify({ query, extensions: { operationId: id } }),
  });
  const text = await response.text();
  const code = text === '' ? null : JSON.parse(text).errors[0].extensions.code;
  return { status: response.status, code };
}

const VIEWER = '{ viewer { kind } }';
const ACCEPTED = { status: 202, code: null };
const subscribed = ({ services }: TestApp, count: number) =>
  vi.waitFor(() => expect(services.events.subscriberCount()).toBe(count));

describeEachBackend('the single connection mode', (backend) => {
  test('sends the results of all operations on one stream, until each is stopped', () =>
    withApp(backend, async (app) => {
      const token = await reserve(app);
      const { next, close } = await open(app, token);
      expect(await operate(app, token, { id: 'q', query: VIEWER })).toEqual(ACCEPTED);
      expect(await next()).toMatchObject({
        ...{ event: 'next', id: 'q' },
        payload: { data: { viewer: { kind: 'ANONYMOUS' } } },
      });
      expect(await next()).toEqual({ event: 'complete', id: 'q' });
      for (const id of ['a', 'b']) {
        expect(await operate(app, token, { id, query: MEDIA_CHANGED })).toEqual(ACCEPTED);
      }
      await subscribed(app, 2);
      await createUrl(app, 'A');
      const ids = [(await next()).id, (await next()).id];
      expect(ids.toSorted()).toEqual(['a', 'b']);
      const stop = `/graphql?operationId=a`;
      const stopped = await app.fetch(stop, { method: 'DELETE', headers: { [HEADER]: token } });
      expect([stopped.status, await stopped.text()]).toEqual([200, '']);
      await subscribed(app, 1);
      await createUrl(app, 'B');
      expect(await next()).toMatchObject({ id: 'b', payload: { data: {} } });
      close();
      await allFreed(app);
      await vi.waitFor(async () =>
        expect(await operate(app, token, { id: 'c', query: VIEWER })).toEqual({
          ...{ status: 404, code: 'NOT_FOUND' },
        }),
      );
    }));

  test('accepts operations before the stream is opened, which then begins with their results', () =>
    withApp(backend, async (app) => {
      const token = await reserve(app);
      // A client may wait for the answer before it opens the stream.
      expect(await operate(app, token, { id: 's', query: MEDIA_CHANGED })).toEqual(ACCEPTED);
      expect(await operate(app, token, { id: 'q', query: VIEWER })).toEqual(ACCEPTED);
      await createUrl(app, 'A');
      const { next, close } = await open(app, token);
      const events = [await next(), await next(), await next()];
      expect(events.filter(({ id }) => id === 'q')).toMatchObject([
        { event: 'next', payload: { data: { viewer: { kind: 'ANONYMOUS' } } } },
        { event: 'complete' },
      ]);
      expect(events.filter(({ id }) => id === 's')).toMatchObject([
        { event: 'next', payload: { data: { mediaChanged: { media: { title: 'A' } } } } },
      ]);
      close();
      await allFreed(app);
    }));

  test('ends the stream soon after its credential has been revoked', () =>
    withApp(
      backend,
      async (app) => {
        const admin = { authorization: `Bearer ${app.adminKey}` };
        const create =
          'mutation { createApiKey(input: { name: "a", role: READER }) { ... on CreateApiKeySuccess { key apiKey { id } } } }';
        const { data } = await graphql(app, create, {}, admin);
        const { key, apiKey } = data.createApiKey;
        const headers = { authorization: `Bearer ${key}` };
        const token = await reserve(app, headers);
        const { next } = await open(app, token, headers);
        expect(await operate(app, token, { id: 's', query: MEDIA_CHANGED, headers })).toEqual(
          ACCEPTED,
        );
        const revoke = `mutation { revokeApiKey(input: { id: "${apiKey.id}" }) { __typename } }`;
        await graphql(app, revoke, {}, admin);
        expect((await operate(app, token, { id: 't', query: VIEWER, headers })).status).toBe(401);
        let event = await next();
        while (event !== undefined) event = await next();
        await allFreed(app);
      },
      {},
      { viewerCheckMs: 50 },
    ));

  test('ends the stream without `complete` when the server stops', () =>
    withApp(backend, async (app) => {
      const token = await reserve(app);
      const { next } = await open(app, token);
      await operate(app, token, { id: 's', query: MEDIA_CHANGED });
      await subscribed(app, 1);
      await app.app.stop();
      expect(await next()).toBeUndefined();
    }));
});

test('a token belongs to its viewer, and opens one stream', () =>
  withApp(SQLITE, async (app) => {
    const admin = { authorization: `Bearer ${app.adminKey}` };
    const token = await reserve(app, admin);
    expect(await operate(app, token, { id: 'a', query: VIEWER })).toMatchObject({ status: 404 });
    expect((await open(app, token)).response.status).toBe(404);
    const first = await open(app, token, admin);
    expect(first.response.status).toBe(200);
    const second = await open(app, token, admin);
    expect([second.response.status, await second.response.json()]).toMatchObject([409, {}]);
    first.close();
    await allFreed(app);
  }));

test('requests that are wrong are refused clearly', () =>
  withApp(SQLITE, async (app) => {
    const token = await reserve(app);
    const { close } = await open(app, token);
    const refused = [
      [await operate(app, token, { query: VIEWER }), 400],
      [await operate(app, token, { id: 7, query: VIEWER }), 400],
      [await operate(app, 'x', { id: 'a', query: VIEWER }), 404],
    ] as const;
    for (const [{ status, code }, expected] of refused) {
      expect([status, typeof code]).toEqual([expected, 'string']);
    }
    expect(await operate(app, token, { id: 'e', query: '{ nothing }' })).toMatchObject({
      code: 'GRAPHQL_VALIDATION_FAILED',
    });
    expect(await operate(app, token, { id: 's', query: MEDIA_CHANGED })).toEqual(ACCEPTED);
    expect(await operate(app, token, { id: 's', query: MEDIA_CHANGED })).toMatchObject({
      status: 409,
    });
    const batch = await app.fetch('/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', [HEADER]: token },
      body: JSON.stringify([{ query: VIEWER }]),
    });
    expect(batch.status).toBe(400);
    const byGet = async (query: string) => {
      const extensions = encodeURIComponent('{"operationId":"g"}');
      const path = `/graphql?token=${token}&extensions=${extensions}&query=${encodeURIComponent(query)}`;
      return (await app.fetch(path)).status;
    };
    expect(await byGet('mutation { createTag(input: { name: "a" }) { __typename } }')).toBe(405);
    expect(await byGet(VIEWER)).toBe(202);
    const remove = (path: string) => app.fetch(path, { method: 'DELETE' });
    expect((await remove(`/graphql?token=${token}`)).status).toBe(400);
    expect((await remove('/graphql?operationId=s')).status).toBe(404);
    expect((await remove(`/graphql?token=${token}&operationId=none`)).status).toBe(200);
    close();
    await allFreed(app);
  }));

test('the reservations of one viewer are bounded, and give their place back', () =>
  withApp(
    SQLITE,
    async (app) => {
      const [first] = [await reserve(app), await reserve(app)];
      const many = await Promise.all(
        Array.from({ length: 100 }, () => app.fetch('/graphql', { method: 'PUT' })),
      );
      expect(new Set(many.map(({ status }) => status))).toEqual(new Set([429]));
      expect(many[0]?.headers.get('retry-after')).toBe('30');
      (await open(app, first as string)).close();
      await vi.waitFor(() => reserve(app));
    },
    { TRIVIUM_QUOTA_SUBSCRIPTIONS: '2' },
  ));

test('a client that never opens its stream has a bounded number of results waiting for it', () =>
  withApp(SQLITE, async (app) => {
    const token = await reserve(app);
    const query = '{ __schema { types { name description fields { name description } } } }';
    const statuses: number[] = [];
    const sent = Array.from({ length: 30 }, async (_, index) => {
      statuses.push((await operate(app, token, { id: `${index}`, query })).status);
    });
    await vi.waitFor(() => expect(statuses.length).toBeGreaterThan(9));
    // Before the stream opens, which lets the others in.
    expect(statuses.length).toBeLessThan(30);
    const { response, close } = await open(app, token);
    expect(response.status).toBe(200);
    close();
    await Promise.all(sent);
    expect([202, 404]).toEqual(expect.arrayContaining([...new Set(statuses)]));
    await allFreed(app);
  }));

test('a client that does not read has a bounded number of results waiting for it', () =>
  withApp(SQLITE, async (app) => {
    const token = await reserve(app);
    const { response, close } = await open(app, token);
    const query = '{ __schema { types { name description fields { name description } } } }';
    app.statements.length = 0;
    const statuses: number[] = [];
    const sent = Array.from({ length: 90 }, async (_, index) => {
      const { status } = await operate(app, token, { id: `${index}`, query });
      statuses.push(status);
    });
    await vi.waitFor(() => expect(statuses.length).toBeGreaterThan(5));
    close();
    await response.body?.cancel().catch(() => undefined);
    await Promise.all(sent);
    // Those that had no turn are told that the stream has ended.
    expect(new Set(statuses)).toEqual(new Set([202, 404]));
    await allFreed(app);
  }));

test('another site cannot reserve or stop with the cookie of a user', () =>
  withApp(
    SQLITE,
    async (app) => {
      const cookie = `auth-token=${app.adminKey}`;
      for (const line of ['PUT /graphql', 'DELETE /graphql?token=a&operationId=b']) {
        const { status } = await sendWith(app, line, { cookie, origin: 'https://evil.example' });
        expect(status).toBe(403);
      }
      const own = await sendWith(app, 'PUT /graphql', { cookie, origin: app.url });
      expect(own.status).toBe(201);
    },
    { TRIVIUM_AUTH: 'required' },
  ));
