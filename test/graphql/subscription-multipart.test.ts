import { expect, test, vi } from 'vitest';
import { type TestApp, withApp } from '../support/app.ts';
import { describeEachBackend } from '../support/backend.ts';
import { allFreed, createUrl, MEDIA_CHANGED } from './subscribe.ts';

const MULTIPART = 'multipart/mixed;boundary=graphql;subscriptionSpec=1.0';
const TYPE = 'multipart/mixed;boundary="graphql";subscriptionSpec="1.0"';

async function subscribe(app: TestApp, query: string, accept = `${MULTIPART},application/json`) {
  const response = await app.fetch('/graphql', {
    method: 'POST',
    headers: { accept, 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  const parts = readParts(response);
  return { response, next: async () => (await parts.next()).value ?? null };
}

/** Reads parts as RFC 2046 describes them. Yields `END` after the closing delimiter. */
async function* readParts({ body }: Response) {
  let text = '';
  for await (const chunk of body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    for (let end = text.indexOf('\r\n--graphql'); end !== -1; end = text.indexOf('\r\n--graphql')) {
      const [head = '', json] = text.slice(0, end).split('\r\n\r\n');
      text = text.slice(end + '\r\n--graphql'.length);
      if (json === undefined) continue;
      expect(head).toBe('\r\ncontent-type: application/json');
      yield JSON.parse(json);
    }
  }
  yield text === '--\r\n' ? 'END' : `CUT ${text}`;
}

describeEachBackend('a multipart subscription', (backend) => {
  test('sends a heartbeat at once, then each result as a payload, and ends with an error when the server stops', () =>
    withApp(backend, async (app) => {
      const { response, next } = await subscribe(app, MEDIA_CHANGED);
      expect([response.status, response.headers.get('content-type')]).toEqual([200, TYPE]);
      expect(response.headers.get('x-accel-buffering')).toBe('no');
      expect(await next()).toEqual({});
      await vi.waitFor(() => expect(app.services.events.subscriberCount()).toBe(1));
      await createUrl(app, 'A');
      expect(await next()).toMatchObject({
        payload: {
          data: { mediaChanged: { kind: 'CREATED', media: { title: 'A' } } },
          extensions: { cost: {} },
        },
      });
      const stopped = app.app.stop();
      expect(await next()).toMatchObject({
        payload: null,
        errors: [{ extensions: { code: 'STREAM_ENDED' } }],
      });
      expect(await next()).toBe('END');
      await stopped;
    }));

  test('that is refused is one result, as JSON or as the only payload', () =>
    withApp(backend, async (app) => {
      const query = 'subscription { jobChanged { id } }';
      const json = await subscribe(app, query);
      expect(json.response.headers.get('content-type')).toContain('application/json');
      expect(await json.response.text()).toContain('NOT_AUTHENTICATED');
      const { next } = await subscribe(app, query, MULTIPART);
      expect(await next()).toEqual({});
      expect(await next()).toMatchObject({
        payload: { errors: [{ extensions: { code: 'NOT_AUTHENTICATED' } }] },
      });
      expect(await next()).toBe('END');
      await allFreed(app);
    }));

  test('is freed when its client hangs up', () =>
    withApp(backend, async (app) => {
      const { response } = await subscribe(app, MEDIA_CHANGED);
      await vi.waitFor(() => expect(app.services.events.subscriberCount()).toBe(1));
      await response.body?.cancel().catch(() => undefined);
      await allFreed(app);
    }));

  test('of a slow client ends with an error', () =>
    withApp(backend, async (app) => {
      const { next } = await subscribe(app, MEDIA_CHANGED);
      expect(await next()).toEqual({});
      await vi.waitFor(() => expect(app.services.events.subscriberCount()).toBe(1));
      const before = { id: 1, parent_id: null, path: '', owner: null, is_public: 1 };
      const event = { type: 'media', kind: 'deleted', before, folderIds: [] } as const;
      // All at once: the stream takes one, the others wait.
      for (let id = 1; id <= 1002; id += 1) app.services.events.publish({ ...event, id });
      let last: unknown;
      for (let part = await next(); part !== 'END'; part = await next()) last = part;
      expect(last).toMatchObject({
        payload: { errors: [{ extensions: { code: 'SUBSCRIPTION_LAGGED' } }] },
      });
      await allFreed(app);
    }));
});
