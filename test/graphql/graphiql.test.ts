import { existsSync } from 'node:fs';
import { parse } from 'graphql';
import { chromium, type Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { GRAPHIQL_OPTIONS } from '../../src/graphql/graphiql.ts';
import { withApp } from '../support/app.ts';
import { BACKENDS } from '../support/backend.ts';
import { graphql } from '../support/graphql.ts';
import { makeMediaRow } from '../support/make.ts';

// What the page shows does not depend on the database.
const [backend] = BACKENDS;
const EXAMPLES = GRAPHIQL_OPTIONS.defaultTabs ?? [];
const CHROMIUM = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';

async function withPage<T>(url: string, work: (page: Page, asked: string[]) => Promise<T>) {
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking'],
  });
  try {
    const page = await browser.newPage();
    const asked: string[] = [];
    page.on('request', (request) => void asked.push(request.url()));
    await page.goto(`${url}/graphql`);
    return await work(page, asked);
  } finally {
    await browser.close();
  }
}

describe('GraphiQL', () => {
  test.each(EXAMPLES)('example $query is answered as it stands', ({ query, variables }) =>
    withApp(backend!, async (app) => {
      expect(parse(query ?? '').definitions).toHaveLength(1);
      const values = variables ? JSON.parse(variables) : {};
      const answer = await graphql(app, query ?? '', values);
      expect(answer.errors).toBeUndefined();
    }),
  );

  test('is not there where it is off, and neither is introspection', () =>
    withApp(
      backend!,
      async (app) => {
        const page = await app.fetch('/graphql', { headers: { accept: 'text/html' } });
        expect(page.headers.get('content-type')).not.toContain('text/html');
        const { data, errors } = await graphql(app, '{ __schema { queryType { name } } }');
        expect(data?.__schema).toBeUndefined();
        expect(errors).toHaveLength(1);
      },
      { TRIVIUM_GRAPHIQL: 'off' },
    ));

  const suite = existsSync(CHROMIUM) ? describe : describe.skip;
  suite(`in Chromium, at ${CHROMIUM}`, () => {
    test('runs an example without asking any other host, under its own policy', () =>
      withApp(backend!, async (app) => {
        await makeMediaRow(app.services.db, { name: 'shown-in-the-page.png' });
        await withPage(app.url, async (page, asked) => {
          const problems: string[] = [];
          page.on('console', (message) => {
            if (message.type() === 'error') problems.push(message.text());
          });
          await page.click('.graphiql-execute-button');
          await page.getByText('"shown-in-the-page.png"').waitFor();
          const shot = process.env.SCREENSHOT_PATH;
          if (shot) await page.screenshot({ path: shot });
          const elsewhere = asked
            .filter((url) => !/^(data|blob):/.test(url))
            .filter((url) => !url.startsWith(app.url));
          expect(elsewhere).toEqual([]);
          expect(problems).toEqual([]);
        });
      }));
  });
});
