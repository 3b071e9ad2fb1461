import { parse } from 'graphql';
import { describe, expect, test } from 'vitest';
import { EXAMPLES } from '../../src/graphql/example.ts';
import { GRAPHIQL_NAME, renderPage } from '../../src/graphql/graphiql.ts';
import { withApp } from '../support/app.ts';
import { BACKENDS } from '../support/backend.ts';
import { HAS_BROWSER, withPage } from '../support/browser.ts';
import { graphql } from '../support/graphql.ts';
import { makeMediaRow } from '../support/make.ts';
import { sendWith } from '../support/raw-request.ts';

// The page does not depend on the database.
const [backend] = BACKENDS;

/** Returns the content type of the response to a subscription, and closes it. */
async function listen({ url }: { url: string }, query: string): Promise<string | null> {
  const { headers, body } = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { accept: 'text/event-stream', 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  await body?.cancel();
  return headers.get('content-type');
}

describe('GraphiQL', () => {
  test.each(EXAMPLES)('the example runs without changes: $query', ({ query, variables }) =>
    withApp(backend!, async (app) => {
      const { definitions } = parse(query);
      expect(definitions).toHaveLength(1);
      if (query.includes('subscription')) {
        expect(await listen(app, query)).toBe('text/event-stream');
        return;
      }
      const values = variables ? JSON.parse(variables) : {};
      const needsCredential = query.includes('credential in the headers');
      const options = needsCredential ? { authorization: `Bearer ${app.adminKey}` } : {};
      const answer = await graphql(app, query, values, options);
      expect(answer.errors).toBeUndefined();
    }),
  );

  test.each([
    ['media', ['medias', 'media', 'createMedia', 'updateMedia', 'deleteMedia', 'importUrl']],
    ['the tree', ['rootChildren', 'createFolder', 'moveNodes']],
    ['tags', ['createTag', 'tagMedia']],
    ['uploads and jobs', ['uploadSession', 'jobs', 'signalJob']],
    ['what happens', ['mediaChanged']],
    ['the viewer and its keys', ['viewer', 'createApiKey']],
  ])('has an example of %s', (_what, fields) => {
    const shown = EXAMPLES.map(({ query }) => /^ {2}(\w+)/m.exec(query)?.[1]);
    expect(shown).toEqual(expect.arrayContaining(fields));
  });

  test('is disabled by TRIVIUM_GRAPHIQL=off, together with introspection', () =>
    withApp(
      backend!,
      async (app) => {
        const page = await app.fetch('/graphql', { headers: { accept: 'text/html' } });
        expect([page.status, await page.text()]).toEqual([
          404,
          expect.stringContaining('TRIVIUM_GRAPHIQL=on'),
        ]);
        const script = await app.fetch(`/graphql/${GRAPHIQL_NAME}.js`);
        expect(script.status).toBe(404);
        await script.body?.cancel();
        const headers = { accept: 'text/html, */*;q=0.8' };
        const answer = await app.fetch('/graphql?query={viewer{id}}', { headers });
        expect(await answer.json()).toMatchObject({ data: { viewer: { id: null } } });
        const { data, errors } = await graphql(app, '{ __schema { queryType { name } } }');
        expect(data?.__schema).toBeUndefined();
        expect(errors).toHaveLength(1);
      },
      { TRIVIUM_GRAPHIQL: 'off' },
    ));

  test.each(['br', 'gzip', 'identity'])('has files that browsers keep, as %s', (encoding) =>
    withApp(backend!, async (app) => {
      const sizes: number[] = [];
      for (const extension of ['js', 'css', 'ico']) {
        const path = `/graphql/${GRAPHIQL_NAME}.${extension}`;
        const { status, headers, body } = await sendWith(app, `GET ${path}`, {
          'accept-encoding': encoding,
        });
        expect([status, headers['content-encoding'] ?? 'identity']).toEqual([200, encoding]);
        expect(headers['cache-control']).toBe('public, max-age=31536000, immutable');
        expect(headers.vary).toContain('Accept-Encoding');
        sizes.push(body.length);
      }
      const largest = encoding === 'identity' ? 10_000_000 : 3_000_000;
      expect(Math.max(...sizes)).toBeLessThan(largest);
    }),
  );

  test('has a page that is checked before each use, with a nonce of its own', () =>
    withApp(backend!, async (app) => {
      const headers = { accept: 'text/html', 'accept-encoding': 'br' };
      const first = await sendWith(app, 'GET /graphql', headers);
      const second = await sendWith(app, 'GET /graphql', headers);
      expect(first.headers['content-security-policy']).not.toBe(
        second.headers['content-security-policy'],
      );
      expect([first.headers['content-encoding'], first.headers['cache-control']]).toEqual([
        'br',
        'private, no-cache',
      ]);
      const tag = first.headers.etag!;
      const third = await sendWith(app, 'GET /graphql', { ...headers, 'if-none-match': tag });
      expect([third.status, third.body, third.headers.etag]).toEqual([304, '', tag]);
      // The stored policy, which has the nonce of the stored page, stays in force.
      expect(third.headers['content-security-policy']).toBeUndefined();
    }));

  describe.skipIf(!HAS_BROWSER)('in Chromium', { timeout: 120_000 }, () => {
    test('runs an example under its own policy, without a request to another host', () =>
      withApp(backend!, async (app) => {
        await makeMediaRow(app.services.db, { name: 'shown-in-the-page.png' });
        await withPage(`${app.url}/graphql`, async (page, asked) => {
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

    test('is small when it is loaded, and nearly nothing when it is loaded again', () =>
      withApp(backend!, async (app) => {
        await withPage(`${app.url}/graphql`, async (page) => {
          await page.locator('.graphiql-execute-button').waitFor();
          const network = await page.context().newCDPSession(page);
          await network.send('Network.enable');
          let receivedBytes = 0;
          network.on('Network.loadingFinished', ({ encodedDataLength }) => {
            receivedBytes += encodedDataLength;
          });
          await page.reload();
          await page.locator('.graphiql-execute-button').waitFor();
          expect(receivedBytes).toBeGreaterThan(0);
          expect(receivedBytes).toBeLessThan(100_000);
        });
      }));

    test('runs without eval, and only the script of the server', () =>
      withApp(backend!, async (app) => {
        const { headers } = await app.fetch('/graphql', { headers: { accept: 'text/html' } });
        const policy = headers.get('content-security-policy')!;
        expect(policy).toMatch(/script-src 'nonce-[\w+/=]{24}';/);
        expect(policy).not.toContain('unsafe-eval');
        await withPage(`${app.url}/graphql`, async (page) => {
          await page.locator('.graphiql-execute-button').waitFor();
          const run = (code: string) => page.evaluate(code);
          // The test's own code may use eval; a timer runs as code of the page.
          await run(
            'setTimeout(() => { try { new Function("return 1"); window.made = "yes" } catch { window.made = "no" } })',
          );
          await page.waitForFunction('window.made');
          expect(await run('window.made')).toBe('no');
          const injected = 'window.ran = 0; const s = document.createElement("script");';
          await run(`${injected} s.text = "window.ran = 1"; document.body.append(s)`);
          expect(await run('window.ran')).toBe(0);
        });
      }));

    test('works as admin after the sign-in link', () =>
      withApp(backend!, async (app) => {
        await withPage(`${app.url}${app.app.signInPath}`, async (page) => {
          expect(page.url()).toBe(`${app.url}/graphql`);
          const query = 'mutation { createFolder(input: { name: "by cookie" }) { __typename } }';
          await page.goto(`${app.url}/graphql?query=${encodeURIComponent(query)}`);
          await page.click('.graphiql-execute-button');
          await page.getByText('"CreateFolderSuccess"').waitFor();
          expect(await page.evaluate('document.cookie')).toBe('');
        });
      }));

    test('shows the same tabs at the next visit, and the one that was shown last', () =>
      withApp(backend!, async (app) => {
        await withPage(`${app.url}/graphql`, async (page) => {
          const tabs = page.locator('.graphiql-tab-button');
          const shown = page.locator('.graphiql-tab-active');
          await shown.waitFor();
          const names = await tabs.allTextContents();
          expect(names).toHaveLength(EXAMPLES.length);
          for (const name of ['NewestMedia', 'OneMedia', 'Tree']) {
            await tabs.getByText(name, { exact: true }).click();
            await shown.getByText(name, { exact: true }).waitFor();
            // GraphiQL stores the tabs a little later.
            const stored = `JSON.parse(localStorage['graphiql:tabState']).activeTabIndex`;
            await expect.poll(() => page.evaluate(stored)).toBe(names.indexOf(name));
            await page.goto(`${app.url}/graphql`);
            await shown.waitFor();
            expect([await tabs.allTextContents(), await shown.textContent()]).toEqual([
              names,
              expect.stringContaining(name),
            ]);
          }
          await page.goto(`${app.url}/graphql?query=query%20Shared%7Bviewer%7Bkind%7D%7D`);
          await shown.getByText('Shared', { exact: true }).waitFor();
          await page.reload();
          await shown.getByText('Shared', { exact: true }).waitFor();
          expect(await tabs.allTextContents()).toEqual([...names, 'Shared']);
        });
      }));

    test('shows an example when its tab is clicked', () =>
      withApp(backend!, async (app) => {
        const { html: body, policy } = renderPage();
        const headers = { 'content-security-policy': policy };
        await withPage(`${app.url}/graphql`, async (page) => {
          await page.route('**/example', (route) =>
            route.fulfill({ contentType: 'text/html', headers, body }),
          );
          await page.goto(`${app.url}/example`);
          await page.locator('.graphiql-execute-button').waitFor();
          for (const name of ['Tree', 'MediaChanged', 'CreateTag']) {
            await page.locator('.graphiql-tab-button', { hasText: name }).click();
            await page.locator('.graphiql-tab-active', { hasText: name }).waitFor();
          }
        });
      }));
  });
});
