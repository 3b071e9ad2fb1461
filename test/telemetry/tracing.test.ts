import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { graphql } from '../support/graphql.ts';
import { quadrants } from '../support/image.ts';
import { type ReceivedSpan, type Receiver, withReceiver } from '../support/otlp-receiver.ts';
import { type ServerProcess, withServerProcess } from '../support/process.ts';

const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';
const CALLER = '00f067aa0ba902b7';
const TRACEPARENT = `00-${TRACE_ID}-${CALLER}-01`;

async function withServer<T>(
  variables: Record<string, string>,
  work: (server: ServerProcess & { dataDir: string }) => Promise<T>,
): Promise<T> {
  const dataDir = await mkdtemp(join(tmpdir(), 'trivium-traces-'));
  try {
    return await withServerProcess({ TRIVIUM_DATA_DIR: dataDir, ...variables }, (server) =>
      work({ ...server, dataDir }),
    );
  } finally {
    await rm(dataDir, { recursive: true });
  }
}

/** Runs `work` with a server that sends its traces to a collector, then stops the server, and returns the spans. */
async function traced(
  variables: Record<string, string>,
  work: (server: ServerProcess & { dataDir: string }) => Promise<void>,
): Promise<{ spans: ReceivedSpan[]; log: ServerProcess['log']; headers: Receiver['headers'] }> {
  return withReceiver((receiver) =>
    withServer(
      {
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
        OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
        ...variables,
      },
      async (server) => {
        await work(server);
        server.child.kill('SIGTERM');
        expect(await server.exit).toBe(0);
        return { spans: receiver.spans, log: server.log, headers: receiver.headers };
      },
    ),
  );
}

async function uploadImage(server: ServerProcess): Promise<void> {
  const query = `mutation Upload($input: UploadFileInput!) { uploadFile(input: $input) {
    ... on UploadFileSuccess { media { url } } } }`;
  const image = await quadrants(800, 600).png().toBuffer();
  const files = { 'input.file': new File([image], 'secret-name.png', { type: 'image/png' }) };
  const { data } = await graphql(server, query, { input: { file: null } }, { files });
  await fetch(new URL(`${new URL(data.uploadFile.media.url).pathname}?width=100`, server.url));
}

function named(spans: readonly ReceivedSpan[], name: string): ReceivedSpan {
  const found = spans.find((span) => span.name === name);
  if (found === undefined) throw new Error(`No ${name} in ${spans.map((span) => span.name)}`);
  return found;
}

/** Returns the names of the spans above a span, the next one first. */
function above(spans: readonly ReceivedSpan[], span: ReceivedSpan): string[] {
  const parent = spans.find(({ spanId }) => spanId === span.parentSpanId);
  return parent === undefined ? [] : [parent.name, ...above(spans, parent)];
}

describe('traces', () => {
  it('show the steps of a request, its statements and storage calls, and link its jobs', async () => {
    const { spans, headers } = await traced(
      {
        OTEL_SERVICE_NAME: 'media',
        OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
        OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant=blue',
      },
      async (server) => {
        await uploadImage(server);
        await vi.waitFor(
          async () => {
            const { text } = await scrape(server);
            expect(text).toMatch(/trivium_job_duration_seconds_count\{class="make-rendition".*1/);
          },
          { timeout: 20_000 },
        );
      },
    );
    const request = named(spans, 'POST /graphql');
    expect(request.attributes).toMatchObject({
      'http.request.method': 'POST',
      'http.route': '/graphql',
      'http.response.status_code': 200,
      'trivium.dialect': 'graphql',
    });
    expect(request.resource).toMatchObject({
      'service.name': 'media',
      'deployment.environment.name': 'test',
    });
    expect(headers()['x-tenant']).toBe('blue');
    expect(above(spans, named(spans, 'upload file'))).toContain('POST /graphql');
    const insert = spans.find(
      ({ name, attributes }) =>
        name === 'insert' && String(attributes['db.query.text']).includes('"file"'),
    )!;
    expect(above(spans, insert)).toEqual(['mutation Upload', 'POST /graphql']);
    expect(above(spans, named(spans, 'render'))).toEqual(['GET /media/:dir/:name']);
    const job = named(spans, 'job make-rendition');
    expect(job.parentSpanId ?? '').toBe('');
    expect(job.traceId).not.toBe(request.traceId);
    expect(job.links.map(({ traceId }) => traceId)).toEqual([request.traceId]);
    expect(JSON.stringify(spans)).not.toContain('secret-name');
  });

  it('continue the trace of a caller, and are named in the log', async () => {
    const { spans, log } = await traced({}, async ({ url }) => {
      await fetch(`${url}/healthz?one`, { headers: { traceparent: TRACEPARENT } });
      await fetch(`${url}/healthz?two`, { headers: { traceparent: 'malformed' } });
    });
    const [first, second] = spans.filter(({ name }) => name === 'GET /healthz');
    expect([first!.traceId, first!.parentSpanId]).toEqual([TRACE_ID, CALLER]);
    expect(second!.traceId).not.toBe(TRACE_ID);
    const lines = log.filter(({ msg, path }) => msg === 'request' && path === '/healthz');
    expect(lines.map(({ traceId, spanId }) => [traceId, spanId])).toEqual([
      [TRACE_ID, first!.spanId],
      [second!.traceId, second!.spanId],
    ]);
  });

  it('contain no credential', async () => {
    const { spans } = await traced({}, async ({ url, dataDir }) => {
      const key = await readFile(join(dataDir, 'admin.key'), 'utf8');
      await fetch(`${url}/media?apikey=hidden-in-the-query`, {
        headers: { authorization: `Bearer ${key.trim()}` },
      });
      await fetch(`${url}/oauth/token`, {
        method: 'POST',
        body: new URLSearchParams({ username: 'ann', password: 'hidden-in-the-body' }),
      });
    });
    const text = JSON.stringify(spans);
    expect(text).toContain('GET /media');
    expect(text).not.toMatch(/hidden-in|tvm_/);
  });

  it('are chosen by the sampler that is set', async () => {
    const variables = { OTEL_TRACES_SAMPLER: 'parentbased_always_off' };
    const { spans } = await traced(variables, async ({ url }) => {
      await fetch(`${url}/healthz`);
      await fetch(`${url}/healthz`, { headers: { traceparent: TRACEPARENT } });
    });
    const traces = spans.filter(({ name }) => name === 'GET /healthz');
    expect(traces.map(({ traceId }) => traceId)).toEqual([TRACE_ID]);
  });
});

describe('without an endpoint', () => {
  it('the log has the trace of a caller', () =>
    withServer({}, async ({ url, log }) => {
      await fetch(`${url}/healthz`, { headers: { traceparent: TRACEPARENT } });
      await vi.waitFor(() => {
        const line = log.find(({ msg }) => msg === 'request');
        expect(line).toMatchObject({ path: '/healthz', traceId: TRACE_ID });
      });
    }));
});

async function scrape({ url }: ServerProcess): Promise<{ text: string }> {
  return { text: await (await fetch(`${url}/metrics`)).text() };
}
