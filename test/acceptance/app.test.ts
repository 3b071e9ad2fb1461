import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildSchema, introspectionFromSchema } from 'graphql';
import { serverAudits } from 'graphql-http';
import { build } from 'vite';
import { describe, expect, test } from 'vitest';
import { HAS_BROWSER, withPage } from '../support/browser.ts';
import { withDataDir, withServerProcess } from '../support/process.ts';
import { withSite } from '../support/site.ts';
import { type Place, SCENARIOS } from './app/scenario.ts';

const NAMES = ['moor', 'river', 'sea'];
const UPLOADED = { name: 'hello.txt', file: { sizeBytes: 5 } };
const CHANGE = { mediaChanged: { kind: 'CREATED', media: { name: 'hello.txt' } } };

/** What the client of each scenario gets. */
const RESULTS: Readonly<Record<keyof typeof SCENARIOS, unknown>> = {
  'Apollo Client: fetchMore': NAMES,
  'Apollo Client: upload': UPLOADED,
  'Apollo Client: subscription by its default': CHANGE,
  'Apollo Client: persisted queries': NAMES,
  'Apollo Client: batch': { kind: 'ANONYMOUS', tags: NAMES },
  'urql: upload': UPLOADED,
  'urql: persisted queries': NAMES,
  'urql: graphcache with the schema, and pages': NAMES,
  'urql: subscription': CHANGE,
  'Relay: a connection': NAMES,
  'graphql-request: POST and GET': [NAMES, NAMES],
  'graphql-sse: distinct connections': CHANGE,
  'graphql-sse: a single connection': CHANGE,
  'graphql-ws': CHANGE,
};

const introspection = introspectionFromSchema(buildSchema(readFileSync('schema.graphql', 'utf8')));

/** Runs `work` with a server that has three tags. */
function withPlace(work: (place: Place) => Promise<void>): Promise<void> {
  return withDataDir((TRIVIUM_DATA_DIR) =>
    withServerProcess({ TRIVIUM_DATA_DIR }, async (server) => {
      const url = `${server.url}/graphql`;
      for (const name of NAMES) {
        const query = `mutation { createTag(input: { name: "${name}" }) { __typename } }`;
        const headers = { 'content-type': 'application/json' };
        await fetch(url, { method: 'POST', headers, body: JSON.stringify({ query }) });
      }
      await work({ url, introspection });
    }),
  );
}

test('each scenario has a result', () => {
  expect(Object.keys(SCENARIOS)).toEqual(Object.keys(RESULTS));
});

test('the clients that apps use work in Node', () =>
  withPlace(async (place) => {
    for (const [name, run] of Object.entries(SCENARIOS)) {
      expect(await run(place), name).toMatchObject(RESULTS[name] as object);
    }
  }));

test.skipIf(!HAS_BROWSER)('they work in Chromium, from another origin', () =>
  withPlace((place) =>
    withBundle((pageUrl) =>
      withPage(pageUrl, async (page) => {
        for (const [name, result] of Object.entries(RESULTS)) {
          const run = `scenarios[${JSON.stringify(name)}](${JSON.stringify(place)})`;
          expect(await page.evaluate(run), name).toMatchObject(result as object);
        }
      }),
    ),
  ),
);

const PAGE = `<!doctype html>
<title>App</title>
<script type="module">
  import { SCENARIOS } from '/scenario.js';
  globalThis.scenarios = SCENARIOS;
</script>`;

/** Serves the scenarios as one module, and a page that has loaded it. */
function withBundle(work: (url: string) => Promise<void>): Promise<void> {
  return withDataDir(async (outDir) => {
    const entry = join(import.meta.dirname, 'app/scenario.ts');
    const lib = { entry, formats: ['es' as const], fileName: 'scenario' };
    const define = { 'process.env.NODE_ENV': '"production"' };
    await build({
      configFile: false,
      logLevel: 'warn',
      define,
      build: { lib, outDir, emptyOutDir: true },
    });
    await withSite(
      ({ url }, response) => {
        const isModule = url === '/scenario.js';
        response.setHeader('content-type', isModule ? 'text/javascript' : 'text/html');
        if (isModule) readFile(join(outDir, 'scenario.js')).then((bytes) => response.end(bytes));
        else response.end(PAGE);
      },
      ({ url }) => work(url),
    );
  });
}

describe('GraphQL over HTTP', () => {
  test('passes all audits', () =>
    withPlace(async ({ url }) => {
      const audits = serverAudits({ url });
      expect(audits.length).toBeGreaterThan(60);
      for (const audit of audits) {
        expect(await audit.fn(), audit.name).toMatchObject({ status: 'ok' });
      }
    }));
});
