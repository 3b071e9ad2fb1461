import { expect, it, vi } from 'vitest';
import { type TestApp, withApp } from '../support/app.ts';
import { BACKENDS } from '../support/backend.ts';

const [BACKEND] = BACKENDS;
if (BACKEND === undefined) throw new Error('There is no backend.');

/** Subscribes; `end` closes the connection. */
async function subscribe(app: TestApp, asAdmin = false) {
  const abort = new AbortController();
  const response = await app.fetch('/graphql', {
    method: 'POST',
    headers: { accept: 'text/event-stream', 'content-type': 'application/json' },
    body: JSON.stringify({ query: 'subscription { mediaChanged { kind } }' }),
    signal: abort.signal,
    asAdmin,
  });
  return { response, end: () => abort.abort() };
}

it('one subscription too many is 429 before the stream begins; one that ends gives its place back', () =>
  withApp(
    BACKEND,
    async (app) => {
      const streams = [await subscribe(app), await subscribe(app)];
      for (const { response } of streams) expect(response.status).toBe(200);
      const { response } = await subscribe(app);
      expect(response.status).toBe(429);
      expect(response.headers.get('content-type')).toContain('application/json');
      expect(response.headers.get('retry-after')).toBe('30');
      expect(response.headers.get('ratelimit-policy')).toBe(
        '"subscriptions";q=2;qu="concurrent-requests"',
      );
      expect(await response.json()).toMatchObject({
        errors: [{ extensions: { code: 'TOO_MANY_REQUESTS' } }],
      });
      // Refusals take no place, and another viewer has places of its own, up to the total.
      const admin = await subscribe(app, true);
      expect(admin.response.status).toBe(200);
      const total = await subscribe(app, true);
      expect(total.response.headers.get('ratelimit-policy')).toContain('q=3');
      streams[0]?.end();
      const next = await vi.waitFor(async () => {
        const next = await subscribe(app);
        if (next.response.status === 429) throw new Error('The place is still taken.');
        return next;
      });
      for (const { end } of [...streams, admin, next]) end();
    },
    { TRIVIUM_QUOTA_SUBSCRIPTIONS: '2', TRIVIUM_QUOTA_SUBSCRIPTIONS_TOTAL: '3' },
  ));

it('a query needs no place', () =>
  withApp(
    BACKEND,
    async (app) => {
      const { end } = await subscribe(app);
      const answer = await app.fetch('/graphql?query={__typename}');
      expect(answer.status).toBe(200);
      end();
    },
    { TRIVIUM_QUOTA_SUBSCRIPTIONS: '1' },
  ));
