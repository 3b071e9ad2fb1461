import { expect, it } from 'vitest';
import { withApp } from '../../support/app.ts';
import { BACKENDS } from '../../support/backend.ts';
import { shareApp } from '../../support/shared-app.ts';

const shared = shareApp(BACKENDS[0]!);

it.each([
  undefined,
  '*/*',
  'application/hal+json',
  'application/json',
  'image/png',
  'text/html;q=0',
  'text/html;q=0, application/hal+json',
  'application/hal+json, text/html;q=0.5',
])('the root is an index of links for Accept: %s', async (accept) => {
  const app = shared();
  const response = await app.fetch('/', { headers: accept === undefined ? {} : { accept } });
  expect(response.headers.get('content-type')).toBe('application/hal+json; charset=utf-8');
  const { _links: links } = (await response.json()) as { _links: Record<string, object> };
  expect(links.self).toEqual({ href: `${app.url}/` });
  expect(links.media).toEqual({ href: `${app.url}/media` });
});

it('the root is a page for a browser, and each of its links leads somewhere', async () => {
  const app = shared();
  const headers = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };
  const response = await app.fetch('/', { headers });
  expect([response.status, response.headers.get('vary')]).toEqual([
    200,
    expect.stringContaining('Accept'),
  ]);
  const links = [...(await response.text()).matchAll(/href="([^"]+)"/g)].map(([, href]) => href!);
  expect(links.length).toBeGreaterThan(4);
  for (const link of links) {
    const page = await app.fetch(link, { headers, asAdmin: true });
    expect([link, page.status]).toEqual([link, 200]);
  }
});

it('the page says which version this is, and how to turn GraphiQL on where it is off', () =>
  withApp(
    BACKENDS[0]!,
    async (app) => {
      const response = await app.fetch('/', { headers: { accept: 'text/html' } });
      const page = await response.text();
      expect(page).toContain('TRIVIUM_GRAPHIQL=on');
      expect(page).not.toContain('href="/graphql"');
      expect(page).toMatch(/Version \d+\.\d+\.\d+/);
    },
    { TRIVIUM_GRAPHIQL: 'off' },
  ));

it('other methods are refused', async () => {
  const response = await shared().fetch('/', { method: 'DELETE' });
  expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS']);
});
