import sharp from 'sharp';
import { describe, expect, it, vi } from 'vitest';
import { type TestApp, withApp } from '../support/app.ts';
import { BACKENDS, describeEachBackend } from '../support/backend.ts';
import { graphql } from '../support/graphql.ts';
import { metricsOf, type Scrape } from '../support/metrics.ts';
import { sendWith } from '../support/raw-request.ts';
import { openStream } from '../support/sse.ts';

const SQLITE = BACKENDS[0]!;

/** Waits until a metric has a value: a request counts when its connection has got the last byte. */
function waitFor(app: TestApp, series: string, value: number): Promise<Scrape> {
  return vi.waitFor(async () => {
    const scrape = await metricsOf(app);
    expect([series, scrape.value(series)]).toEqual([series, value]);
    return scrape;
  });
}

async function uploadImage(app: TestApp): Promise<string> {
  const bytes = await sharp({
    create: { width: 800, height: 600, channels: 3, background: 'red' },
  })
    .png()
    .toBuffer();
  const query = `mutation ($input: UploadFileInput!) { uploadFile(input: $input) {
    ... on UploadFileSuccess { media { url } } } }`;
  const { data } = await graphql(
    app,
    query,
    { input: { file: null } },
    {
      files: { 'input.file': new File([bytes], 'red.png', { type: 'image/png' }) },
    },
  );
  return data.uploadFile.media.url;
}

describeEachBackend('the metrics', (backend) => {
  it('count requests by dialect, method and status, and never name a path', () =>
    withApp(backend, async (app) => {
      await graphql(app, '{ viewer { kind } }');
      await app.fetch('/medias');
      await app.fetch('/api/v2/tag/');
      await app.fetch('/media', { asAdmin: true });
      await app.fetch('/media/abcdefgh/secret-name.jpg');
      await app.fetch('/no-such-path');
      await sendWith(app, 'GET /healthz', { host: 'not valid!' });
      const scrape = await waitFor(
        app,
        'trivium_http_requests_total{dialect="root",method="GET",status="400"}',
        1,
      );
      const count = (dialect: string, method: string, status: number) =>
        scrape.value(
          `trivium_http_requests_total{dialect="${dialect}",method="${method}",status="${status}"}`,
        );
      expect(count('graphql', 'POST', 200)).toBe(1);
      expect(count('importer', 'GET', 401)).toBe(1);
      expect(count('selfcommunity', 'GET', 200)).toBe(1);
      expect(count('heartcore', 'GET', 200)).toBe(1);
      expect(count('files', 'GET', 404)).toBe(1);
      expect(count('root', 'GET', 404)).toBe(1);
      expect(scrape.value('trivium_http_request_duration_seconds_count{dialect="files"}')).toBe(1);
      expect(scrape.value('trivium_http_requests_in_flight')).toBe(1);
      expect(scrape.text).not.toContain('secret-name');
      expect(scrape.text).not.toContain('no-such-path');
    }));

  it('measure the steps of uploads, statements, the storage, renditions and the cache', () =>
    withApp(backend, async (app) => {
      const url = await uploadImage(app);
      for (let times = 0; times < 2; times++) {
        const answer = await fetch(new URL(`${new URL(url).pathname}?width=320`, app.url));
        expect(answer.status).toBe(200);
        await answer.arrayBuffer();
      }
      const scrape = await metricsOf(app);
      expect(
        scrape.value('trivium_upload_step_duration_seconds_count{step="file",outcome="ok"}'),
      ).toBe(1);
      expect(scrape.value('trivium_upload_received_bytes_total')).toBeGreaterThan(500);
      expect(scrape.value('trivium_rendition_lookups_total{result="miss"}')).toBe(1);
      expect(scrape.value('trivium_rendition_lookups_total{result="hit"}')).toBe(1);
      expect(
        scrape.value('trivium_rendition_duration_seconds_count{cause="request",outcome="ok"}'),
      ).toBe(1);
      const put =
        'trivium_storage_call_duration_seconds_count{store="blobs",call="put",outcome="ok"}';
      expect(scrape.value(put)).toBeGreaterThan(0);
      expect(
        scrape.value('trivium_db_statement_duration_seconds_count{kind="select"}'),
      ).toBeGreaterThan(0);
      expect(scrape.value('trivium_blob_cache_lookups_total{result="hit"}')).toBeGreaterThan(0);
      expect(scrape.value('trivium_db_connections{state="idle"}')).toBeGreaterThanOrEqual(0);
    }));

  it('count refused chunks and limits', () =>
    withApp(
      backend,
      async (app) => {
        const query = `mutation ($input: UploadChunkInput!) { uploadChunk(input: $input) {
          __typename } }`;
        const input = { offset: 0, totalBytes: 100, filename: 'a.bin', chunk: null };
        const files = { 'input.chunk': new File(['abc'], 'blob') };
        const { data } = await graphql(app, query, { input }, { files });
        expect(data.uploadChunk.__typename).toBe('UploadChunkSuccess');
        await graphql(app, query, { input }, { files });
        const scrape = await metricsOf(app);
        const open = 'trivium_upload_step_duration_seconds_count{step="open"';
        expect(scrape.value(`${open},outcome="ok"}`)).toBe(1);
        expect(scrape.value(`${open},outcome="refused"}`)).toBe(1);
        expect(scrape.value('trivium_limit_refusals_total{limit="upload-sessions"}')).toBe(1);
      },
      { TRIVIUM_QUOTA_UPLOADS: '1', TRIVIUM_QUOTA_ADDRESS_FACTOR: '1' },
    ));

  it('show the queue, and the jobs that have run', () =>
    withApp(
      backend,
      async (app) => {
        await uploadImage(app);
        const ended =
          'trivium_job_duration_seconds_count{class="make-rendition",outcome="completed"}';
        await vi.waitFor(async () => expect((await metricsOf(app)).value(ended)).toBe(1), 20_000);
        const scrape = await metricsOf(app);
        expect(scrape.value('trivium_jobs_pending{class="sweep"}')).toBe(1);
        expect(scrape.value('trivium_jobs_running{class="sweep"}')).toBe(0);
      },
      { TRIVIUM_JOB_CONCURRENCY: '2' },
    ));
});

describe('the metrics', () => {
  it('count open subscriptions', () =>
    withApp(SQLITE, async (app) => {
      const stream = await openStream(app, 'subscription { jobChanged { id } }', {
        authorization: `Bearer ${app.adminKey}`,
      });
      await waitFor(app, 'trivium_subscriptions_open', 1);
      stream.close();
      await waitFor(app, 'trivium_subscriptions_open', 0);
    }));

  it('are there when the database does not answer', () =>
    withApp(SQLITE, async (app) => {
      await metricsOf(app);
      await app.services.db.destroy();
      const { text } = await metricsOf(app);
      expect(text).toContain('nodejs_eventloop_lag_p99_seconds');
      expect(text).toContain('process_resident_memory_bytes');
    }));
});

describe('who may read /metrics', () => {
  const REQUIRED = { TRIVIUM_AUTH: 'required' };
  const statusOf = async (app: TestApp, headers: Record<string, string> = {}) =>
    (await sendWith(app, 'GET /metrics', headers)).status;

  it('by default, programs on this machine, and admins', () =>
    withApp(
      SQLITE,
      async (app) => {
        expect(await statusOf(app)).toBe(200);
        const admin = { authorization: `Bearer ${app.adminKey}` };
        for (const foreign of [
          { 'x-forwarded-for': '203.0.113.7' },
          { forwarded: 'for=203.0.113.7' },
          { origin: 'https://example.org' },
          { host: 'media.example.org' },
        ]) {
          expect([foreign, await statusOf(app, foreign)]).toEqual([foreign, 401]);
          expect([foreign, await statusOf(app, { ...foreign, ...admin })]).toEqual([foreign, 200]);
        }
      },
      REQUIRED,
    ));

  it('`admin`: nobody else, and with `off` there are none', async () => {
    await withApp(SQLITE, async (app) => expect(await statusOf(app)).toBe(401), {
      TRIVIUM_METRICS: 'admin',
    });
    await withApp(SQLITE, async (app) => expect(await statusOf(app)).toBe(404), {
      TRIVIUM_METRICS: 'off',
    });
  });

  it('`open`: everyone', () =>
    withApp(
      SQLITE,
      async (app) => expect(await statusOf(app, { 'x-forwarded-for': '203.0.113.7' })).toBe(200),
      { ...REQUIRED, TRIVIUM_METRICS: 'open' },
    ));
});
