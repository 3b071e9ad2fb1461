import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { promisify } from 'node:util';
import { createClient } from 'graphql-sse';
import { expect, test, vi } from 'vitest';
import { type TestApp, withApp } from '../support/app.ts';
import { BACKENDS } from '../support/backend.ts';
import { graphql } from '../support/graphql.ts';
import { withDataDir, withServerProcess } from '../support/process.ts';
import { openStream } from '../support/sse.ts';

// Clients see the same on every database: one is enough.
const [SQLITE] = BACKENDS as [(typeof BACKENDS)[0]];
const QUERY = 'subscription { mediaChanged { kind media { title } } }';
const ALIASES = Array.from({ length: 25 }, (_, index) => `id${index}: id`).join(' ');
const created = (title: string) => ({ mediaChanged: { kind: 'CREATED', media: { title } } });

async function createUrl(app: { url: string }, title: string) {
  const input = `{ type: URL, url: "https://x.org", title: "${title}" }`;
  await graphql(app, `mutation { createMedia(input: ${input}) { __typename } }`);
}

function subscribed({ services }: TestApp, count: number): Promise<void> {
  return vi.waitFor(() => expect(services.events.subscriberCount()).toBe(count));
}

const hasCurl = await promisify(execFile)('curl', ['--version']).then(
  () => true,
  () => false,
);

test('the graphql-sse client receives events, and unsubscribing frees everything', () =>
  withApp(SQLITE, async (app) => {
    const client = createClient({ url: `${app.url}/graphql`, retryAttempts: 0 });
    const events = client.iterate<ReturnType<typeof created>>({ query: QUERY });
    const first = events.next();
    await subscribed(app, 1);
    await createUrl(app, 'A');
    expect((await first).value?.data).toEqual(created('A'));
    await createUrl(app, 'B');
    expect((await events.next()).value?.data).toEqual(created('B'));
    await events.return?.();
    await subscribed(app, 0);
    client.dispose();
  }));

test('the graphql-sse client reconnects after the server has closed its stream', () =>
  withApp(SQLITE, async (app) => {
    let subscriptions = 0;
    app.app.server.server.on('request', ({ headers }) => {
      if (headers.accept === 'text/event-stream') subscriptions += 1;
    });
    const client = createClient({ url: `${app.url}/graphql`, retry: async () => undefined });
    const events = client.iterate<ReturnType<typeof created>>({ query: QUERY });
    const first = events.next();
    await subscribed(app, 1);
    app.app.server.server.closeAllConnections();
    await vi.waitFor(() => expect(subscriptions).toBe(2));
    await subscribed(app, 1);
    await createUrl(app, 'A');
    expect((await first).value?.data).toEqual(created('A'));
    client.dispose();
    await subscribed(app, 0);
  }));

test('a client that does not read its events is disconnected; a client that reads them is not', () =>
  withApp(SQLITE, async (app) => {
    const { port, hostname } = new URL(app.url);
    const query = `subscription { mediaChanged { ${ALIASES} } }`;
    const body = JSON.stringify({ query });
    const head = `POST /graphql HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n`;
    const type = `Content-Type: application/json\r\nContent-Length: ${body.length}`;
    const socket = connect(Number(port), hostname).pause();
    socket.write(`${head}${type}\r\n\r\n${body}`);
    const reader = await openStream(app, query);
    await subscribed(app, 2);
    const before = { id: 1, parent_id: null, path: '', owner: null, is_public: 1 };
    const event = { type: 'media', kind: 'deleted', before, folderIds: [] } as const;
    // The socket buffer of the system, some megabytes, fills up first.
    for (let id = 1; app.services.events.subscriberCount() === 2 && id < 50_000; ) {
      for (let index = 0; index < 100; index += 1, id += 1) {
        app.services.events.publish({ ...event, id });
      }
      for (let index = 0; index < 100; index += 1) await reader.next();
    }
    expect(app.services.events.subscriberCount()).toBe(1);
    socket.destroy();
    reader.close();
  }));

test.skipIf(!hasCurl)('curl -N prints each event as it arrives, with GET and with POST', () =>
  withApp(SQLITE, async (app) => {
    const url = `${app.url}/graphql`;
    const byGet = ['-G', url, '--data-urlencode', `query=${QUERY}`];
    const byPost = [
      url,
      '-H',
      'content-type: application/json',
      '-d',
      JSON.stringify({ query: QUERY }),
    ];
    for (const args of [byGet, byPost]) {
      const curl = spawn('curl', ['-sN', '-H', 'accept: text/event-stream', ...args]);
      let output = '';
      curl.stdout.on('data', (chunk) => {
        output += chunk;
      });
      await subscribed(app, 1);
      await createUrl(app, 'A');
      await vi.waitFor(() => expect(output).toMatch(/event: next\ndata: \{.*"title":"A".*\}\n\n/));
      curl.kill();
      await once(curl, 'close');
      await subscribed(app, 0);
    }
  }),
);

test('a quiet stream is kept alive, and SIGTERM ends it at once', () =>
  withDataDir((dataDir) =>
    withServerProcess({ TRIVIUM_DATA_DIR: dataDir, NODE_ENV: 'production' }, async (server) => {
      const stream = await openStream(server, QUERY);
      const next = stream.next();
      // The first one arrives with the headers. The server closes a connection that is idle for 60 seconds.
      await vi.waitFor(() => expect(stream.pings()).toBeGreaterThan(1));
      await createUrl(server, 'A');
      expect((await next)?.data).toEqual(created('A'));
      server.child.kill('SIGTERM');
      // A connection that is cut, at the end of the time for requests in progress, would throw here.
      expect(await stream.rest()).toEqual([]);
      expect(await server.exit).toBe(0);
    }),
  ));
