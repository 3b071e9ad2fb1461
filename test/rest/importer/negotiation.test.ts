import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { describeEachBackend } from '../../support/backend.ts';
import { sendRaw, toRequest } from '../../support/raw-request.ts';
import { shareApp } from '../../support/shared-app.ts';
import { call, JSON_API, makeJob, problem, VARIABLES } from './call.ts';

describeEachBackend('a request', (backend) => {
  const app = shareApp(backend, VARIABLES);
  const raw = (line: string, headers: readonly string[], body = '') => {
    const authorization = `Authorization: Bearer ${app().adminKey}`;
    return sendRaw(app(), toRequest(line, [authorization, ...headers], Buffer.from(body)));
  };

  it.each([
    ['none', [], ''],
    ['JSON:API and no body, as kitsu and devour send it', [`Content-Type: ${JSON_API}`], ''],
    ['JSON:API and a body', [`Content-Type: ${JSON_API}`], '{"data":{"type":"jobs"}}'],
    ['JSON and no body', ['Content-Type: application/json'], ''],
    ['JSON and a broken body', ['Content-Type: application/json'], '{"filter":'],
    ['text', ['Content-Type: text/plain'], 'abc'],
    ['no media type at all', ['Content-Type: abc'], 'abc'],
  ])('§9.2: GET and DELETE with a content type of %s', async (_, headers, body) => {
    const id = await makeJob(app());
    const shown = await raw(`GET /jobs/${id}`, headers, body);
    expect([shown?.status, shown?.headers['content-type']]).toEqual([200, JSON_API]);
    const deleted = await raw(`DELETE /jobs/${id}`, headers, body);
    expect([deleted?.status, deleted?.headers['content-type'], deleted?.body]).toEqual([
      204,
      undefined,
      '',
    ]);
  });

  it('§1.3: the body of a GET does not filter the list', async () => {
    const id = await makeJob(app());
    const body = JSON.stringify({ filter: { id: randomUUID() } });
    const answer = await raw('GET /jobs', ['Content-Type: application/json'], body);
    expect(answer?.body).toContain(id);
  });

  it.each(['charset=utf-8', 'ext="https://a.example"'])(
    '§1.3: JSON:API with %s is 415',
    async (parameter) => {
      const headers = { 'content-type': `${JSON_API}; ${parameter}` };
      for (const method of ['GET', 'POST', 'DELETE']) {
        expect(
          await call(app(), `${method} /jobs/${randomUUID()}/signal`, { headers }),
        ).toMatchObject(problem(415, 'unsupported_media_type', { header: 'Content-Type' }));
      }
    },
  );

  it.each([
    ['*/*', 200],
    ['application/json', 200],
    [JSON_API, 200],
    [`${JSON_API};q=0.5`, 200],
    [`${JSON_API}; profile="https://a.example/a,b"`, 200],
    [`${JSON_API}; charset=utf-8, ${JSON_API}`, 200],
    [`${JSON_API}; charset=utf-8`, 406],
    [`${JSON_API}; charset=utf-8, ${JSON_API}; ext="a"`, 406],
  ])('§1.3: Accept: %s is %i', async (accept, status) => {
    const answer = await call(app(), 'GET /jobs', { headers: { accept } });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([status, JSON_API]);
    expect(answer.headers.get('vary')?.split(', ')).toEqual(
      expect.arrayContaining(['Accept', 'Authorization', 'Api-Key', 'Cookie']),
    );
  });

  it.each([
    ['GET /jobs/a/b', 404],
    ['GET /medias/nothing', 404],
    ['POST /medias/nothing/at/all/here', 404],
    ['GET /api/v1/media', 404],
    ['GET /api/v1/media/nothing', 404],
    ['GET /medias/info/%zz', 400],
    ['GET /jobs/%ff', 400],
    ['GET /api/v1/media/medias/files/%', 400],
  ])('§1.6: %s is %i in the error format of this dialect', async (line, status) => {
    const { status: actual, headers, body } = await call(app(), line);
    expect([actual, headers.get('content-type')]).toEqual([status, JSON_API]);
    expect(body).toEqual({
      errors: [
        {
          id: headers.get('x-request-id'),
          status: String(status),
          code: expect.stringMatching(/^[a-z_]+$/),
          title: expect.any(String),
          detail: expect.any(String),
        },
      ],
    });
  });

  it('a name longer than any stored name is 404', async () => {
    const answer = await call(app(), `GET /medias/info/${'a'.repeat(2000)}`);
    expect(answer).toMatchObject(problem(404, 'not_found'));
  });

  it.each(['/healthcheck', '/api/v1/media/healthcheck'])(
    '§1.1: %s needs no credential and is no document',
    async (path) => {
      const answer = await app().fetch(path, { headers: { accept: 'text/plain' } });
      expect([answer.status, await answer.json()]).toEqual([200, { status: 'ok' }]);
      expect((await app().fetch(path, { method: 'HEAD' })).status).toBe(200);
      const refused = await app().fetch(path, { method: 'POST' });
      expect([refused.status, refused.headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS']);
    },
  );

  it.each([
    ['PATCH /jobs/a', 'GET, HEAD, DELETE, OPTIONS'],
    ['PUT /medias', 'GET, HEAD, OPTIONS'],
    ['DELETE /medias/files/a/b', 'GET, HEAD, POST, OPTIONS'],
    ['POST /api/v1/media/medias/info/a', 'GET, HEAD, OPTIONS'],
  ])('§1.1: %s is 405 with Allow', async (line, allow) => {
    const answer = await call(app(), line);
    expect(answer).toMatchObject(problem(405, 'method_not_allowed'));
    expect(answer.headers.get('allow')).toBe(allow);
  });

  it('§1.1: a trailing slash changes nothing', async () => {
    for (const path of ['/jobs/', '/medias/', '/api/v1/media/jobs/']) {
      expect((await call(app(), `GET ${path}`)).status, path).toBe(200);
    }
  });

  it('§9.9: an unknown job id returns 404, even if it is malformed', async () => {
    const id = await makeJob(app());
    for (const unknown of [randomUUID(), 'abc', '1', '%00', "a'b"]) {
      for (const method of ['GET', 'DELETE']) {
        const answer = await call(app(), `${method} /jobs/${unknown}`);
        expect(answer, unknown).toMatchObject(problem(404, 'not_found'));
      }
    }
    expect((await call(app(), `DELETE /jobs/${id.toUpperCase()}`)).status).toBe(204);
    expect((await call(app(), `DELETE /jobs/${id}`)).status).toBe(404);
  });

  it('§3.2: a job has an ETag, and 304 until it changes', async () => {
    const id = await makeJob(app());
    const first = await call(app(), `GET /jobs/${id}?fields=progress,status`);
    const etag = first.headers.get('etag')!;
    const again = () =>
      call(app(), `GET /jobs/${id}?fields=progress,status`, { headers: { 'if-none-match': etag } });
    expect([(await again()).status, first.headers.get('cache-control')]).toEqual([
      304,
      'private, no-cache',
    ]);
    await app()
      .services.db.updateTable('job')
      .set({ progress: 0.5 })
      .where('uuid', '=', id)
      .execute();
    expect((await again()).body.data.attributes).toEqual({ status: 'pending', progress: 0.5 });
  });

  it('§7.2: `fields` can request attributes of a job that are omitted by default', async () => {
    const id = await makeJob(app(), { max_retries: 3 });
    const { body } = await call(app(), `GET /jobs/${id}?fields=max_retries,attempts,finished_at`);
    expect(body.data.attributes).toEqual({ max_retries: 3, attempts: [], finished_at: null });
  });

  it('§9.13: an internal error does not reveal its cause', async () => {
    const { db } = app().services;
    const id = await makeJob(app(), { arguments: 'no JSON' });
    const { status, body } = await call(app(), `GET /jobs/${id}`);
    await db.deleteFrom('job').where('uuid', '=', id).execute();
    const { errors } = body;
    expect([status, errors[0].code, errors[0].detail]).toEqual([
      500,
      'internal_error',
      'Internal server error.',
    ]);
    expect(Object.keys(errors[0])).toEqual(['id', 'status', 'code', 'title', 'detail']);
  });
});
