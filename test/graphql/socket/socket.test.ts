import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { type TestApp, withApp } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { graphql } from '../../support/graphql.ts';
import { withDataDir } from '../../support/process.ts';
import { connectWebSocket } from '../../support/web-socket.ts';
import { allFreed, createUrl, MEDIA_CHANGED } from '../subscribe.ts';

const subscribed = ({ services }: TestApp, count: number) =>
  vi.waitFor(() => expect(services.events.subscriberCount()).toBe(count));

describeEachBackend('a WebSocket', (backend) => {
  test('carries queries, changes and subscriptions of its viewer', () =>
    withApp(backend, async (app) => {
      const authorization = `Bearer ${app.adminKey}`;
      const { subscribe, next, socket } = await connectWebSocket(app, { authorization });
      subscribe('q', '{ viewer { kind } }');
      expect(await next()).toMatchObject({
        ...{ id: 'q', type: 'next' },
        payload: { data: { viewer: { kind: 'KEY' } }, extensions: { cost: {} } },
      });
      expect(await next()).toEqual({ id: 'q', type: 'complete' });
      subscribe('s', MEDIA_CHANGED);
      await subscribed(app, 1);
      subscribe('m', 'mutation { createTag(input: { name: "a" }) { __typename } }');
      expect(await next()).toMatchObject({
        ...{ id: 'm', type: 'next' },
        payload: { data: { createTag: { __typename: 'CreateTagSuccess' } } },
      });
      expect(await next()).toEqual({ id: 'm', type: 'complete' });
      for (const title of ['A', 'B']) {
        await createUrl(app, title);
        expect(await next()).toMatchObject({
          ...{ id: 's', type: 'next' },
          payload: { data: { mediaChanged: { kind: 'CREATED', media: { title } } } },
        });
      }
      socket.close();
      await allFreed(app);
    }));

  test('frees a subscription that its client completes, whose id can be used again', () =>
    withApp(backend, async (app) => {
      const { subscribe, send, next, socket } = await connectWebSocket(app);
      subscribe('1', MEDIA_CHANGED);
      await subscribed(app, 1);
      send({ type: 'complete', id: '1' });
      await subscribed(app, 0);
      subscribe('1', '{ viewer { kind } }');
      expect(await next()).toMatchObject({ id: '1', type: 'next' });
      expect(await next()).toEqual({ id: '1', type: 'complete' });
      socket.terminate();
    }));

  test('reports an operation that is refused, and stays open', () =>
    withApp(backend, async (app) => {
      const { subscribe, next, send, socket } = await connectWebSocket(app);
      const refused: [query: string, code: string][] = [
        ['{ nothing }', 'GRAPHQL_VALIDATION_FAILED'],
        ['{', 'GRAPHQL_PARSE_FAILED'],
        ['subscription { jobChanged { id } }', 'NOT_AUTHENTICATED'],
        ['subscription { mediaChanged(folderId: "x") { id } }', 'INVALID_INPUT'],
      ];
      for (const [query, code] of refused) {
        subscribe(code, query);
        const message = await next();
        expect(message).toMatchObject({
          id: code,
          type: 'error',
          payload: [{ extensions: { code } }],
        });
        expect(JSON.stringify(message)).not.toContain('"http"');
      }
      subscribe('field', '{ node(id: "x") { id } }');
      expect(await next()).toMatchObject({
        ...{ id: 'field', type: 'next' },
        payload: { data: { node: null }, errors: [{ extensions: { code: 'INVALID_INPUT' } }] },
      });
      expect(await next()).toEqual({ id: 'field', type: 'complete' });
      send({ type: 'ping', payload: { a: 1 } });
      expect(await next()).toEqual({ type: 'pong', payload: { a: 1 } });
      socket.terminate();
    }));

  test('runs a document that an id names, with a text of null or none, beside a subscription', () =>
    withDataDir(async (directory) => {
      const TRIVIUM_PERSISTED_ONLY = join(directory, 'manifest.json');
      const manifest = { viewer: '{ viewer { kind } }', changed: MEDIA_CHANGED };
      await writeFile(TRIVIUM_PERSISTED_ONLY, JSON.stringify(manifest));
      await withApp(
        backend,
        async (app) => {
          const { send, next, socket } = await connectWebSocket(app);
          const subscribe = (id: string, payload: object) =>
            send({ type: 'subscribe', id, payload });
          subscribe('s', { query: null, id: 'changed' });
          await subscribed(app, 1);
          const named = [
            { query: null, id: 'viewer' },
            { documentId: 'viewer' },
            { doc_id: 'viewer', query: '' },
            { extensions: { persistedQuery: { version: 1, sha256Hash: 'viewer' } } },
          ];
          for (const [index, payload] of named.entries()) {
            subscribe(`${index}`, payload);
            expect(await next()).toMatchObject({
              ...{ id: `${index}`, type: 'next' },
              payload: { data: { viewer: { kind: 'ANONYMOUS' } } },
            });
            expect(await next()).toEqual({ id: `${index}`, type: 'complete' });
          }
          subscribe('other', { query: null, id: 'other' });
          expect(await next()).toMatchObject({
            ...{ id: 'other', type: 'error' },
            payload: [{ extensions: { code: 'PERSISTED_QUERY_ONLY' } }],
          });
          subscribe('number', { query: null, id: 5 });
          expect(await next()).toMatchObject({
            ...{ id: 'number', type: 'error' },
            payload: [{ message: expect.stringMatching(/`id`.* as a string/) }],
          });
          expect(app.services.events.subscriberCount()).toBe(1);
          socket.terminate();
        },
        { TRIVIUM_PERSISTED_ONLY },
      );
    }));

  test.each([
    ['{', /^Invalid message received: .*JSON/],
    ['{"type":"subscribe","id":"1","payload":{"query":null}}', /'query' property to be a string/],
    ['{"type":"subscribe","id":"1","payload":[]}', /'payload' property to be an object/],
    ['{"type":"next","id":"1","payload":{}}', /a client cannot send "next"/],
    [JSON.stringify({ type: 'ü'.repeat(200) }), /^Invalid message received: .*ü$/],
  ])('is closed with the reason after a message that is malformed: %s', (text, reason) =>
    withApp(backend, async (app) => {
      const { socket, closed } = await connectWebSocket(app);
      socket.send(text);
      expect(await closed).toEqual({ code: 4400, reason: expect.stringMatching(reason) });
    }),
  );

  test('is closed with 4403 soon after its credential has been revoked', () =>
    withApp(
      backend,
      async (app) => {
        const admin = { authorization: `Bearer ${app.adminKey}` };
        const { data } = await graphql(
          app,
          'mutation { createApiKey(input: { name: "a", role: READER }) { ... on CreateApiKeySuccess { key apiKey { id } } ... on Error { message } } }',
          {},
          admin,
        );
        const { key, apiKey } = data.createApiKey;
        const idle = await connectWebSocket(app, { authorization: `Bearer ${key}` });
        const used = await connectWebSocket(app, {}, { headers: { 'api-key': key } });
        used.subscribe('1', MEDIA_CHANGED);
        await subscribed(app, 1);
        await graphql(
          app,
          `mutation { revokeApiKey(input: { id: "${apiKey.id}" }) { __typename } }`,
          {},
          admin,
        );
        used.subscribe('2', '{ viewer { kind } }');
        expect(await used.closed).toMatchObject({ code: 4403 });
        expect(await idle.closed).toMatchObject({ code: 4403 });
        await allFreed(app);
      },
      {},
      { viewerCheckMs: 50 },
    ));

  test('is closed with 1001 when the server stops, which does not wait for a client that does not answer', () =>
    withApp(backend, async (app) => {
      const polite = await connectWebSocket(app);
      const mute = await connectWebSocket(app);
      mute.subscribe('1', MEDIA_CHANGED);
      await subscribed(app, 1);
      mute.socket.pause();
      await app.app.stop();
      expect(await polite.closed).toMatchObject({ code: 1001 });
      expect(app.services.events.subscriberCount()).toBe(0);
      mute.socket.terminate();
    }));
});
