import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { describeEachBackend } from '../../../support/backend.ts';
import { makeMediaRow } from '../../../support/make.ts';
import { shareApp } from '../../../support/shared-app.ts';
import { call, makeJob, problem, VARIABLES } from '../call.ts';

const TYPE = 'media:jobs';

describeEachBackend('a job', (backend) => {
  const app = shareApp(backend, VARIABLES);
  const post = (attributes: object, options = {}) =>
    call(app(), 'POST /jobs', { document: { data: { type: TYPE, attributes } }, ...options });
  const importOf = (more = {}) => ({
    job_class: 'import-url',
    arguments: { url: 'https://a.example/a.png' },
    ...more,
  });
  const send = (id: string, body: object, options = {}) =>
    call(app(), `POST /jobs/${id}/signal`, { document: body, ...options });

  describe('is created', () => {
    it('by POST, and Location is its URL', async () => {
      const scheduled_at = '2031-01-01T10:00:00+02:00';
      const attributes = importOf({ priority: 7, unicity: randomUUID(), scheduled_at });
      const { status, headers, body } = await post(attributes, { as: 'eva' });
      expect(status).toBe(201);
      expect(body.data).toMatchObject({
        type: TYPE,
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        attributes: {
          ...attributes,
          scheduled_at: '2031-01-01T08:00:00.000Z',
          status: 'pending',
          progress: 0,
        },
      });
      const location = headers.get('location')!;
      expect(location).toBe(`${app().url}/jobs/${body.data.id}`);
      const shown = await call(app(), `GET ${location.slice(app().url.length)}`);
      expect(shown.body).toEqual(body);
    });

    it('below the gateway’s path, as plain JSON, and with the type that kitsu sends', async () => {
      const { status, headers } = await call(app(), 'POST /api/v1/media/jobs/', {
        document: { data: { type: 'jobs', attributes: importOf() } },
        headers: { 'content-type': 'application/json' },
      });
      expect(status).toBe(201);
      expect(headers.get('location')).toContain('/api/v1/media/jobs/');
    });

    it.each<[string, object, string[]]>([
      ['no class', { arguments: {} }, ['job_class']],
      ['a class that there is not', importOf({ job_class: 'nope' }), ['job_class']],
      ['a class of the server’s own', { job_class: 'sweep' }, ['job_class']],
      ['a unicity of the server’s own', importOf({ unicity: 'sweep:schedule' }), ['unicity']],
      ['no arguments', { job_class: 'import-url' }, ['arguments/url']],
      ['a wrong argument', importOf({ arguments: { url: 'ftp://a' } }), ['arguments/url']],
      ['arguments that are no object', importOf({ arguments: [] }), ['arguments']],
      ['a priority that is not a number', importOf({ priority: '5' }), ['priority']],
      ['a priority past 32 bits', importOf({ priority: 2 ** 40 }), ['priority']],
      ['an invalid time', importOf({ scheduled_at: 'soon' }), ['scheduled_at']],
      ['an attribute that is not to be set', importOf({ status: 'completed' }), ['status']],
      ['several', { job_class: 1, unicity: {}, 'a/b': 1 }, ['a~1b', 'job_class', 'unicity']],
    ])('not with %s', async (_, attributes, pointers) => {
      const { status, body } = await post(attributes);
      const found = body.errors.map(
        ({ source }: { source: { pointer: string } }) => source.pointer,
      );
      expect([status, found]).toEqual([422, pointers.map((name) => `/data/attributes/${name}`)]);
    });

    it('not from a malformed document', async () => {
      const send = (body: string, type = 'application/vnd.api+json') =>
        call(app(), 'POST /jobs', { body, headers: { 'content-type': type } });
      expect(await send('{')).toMatchObject(problem(400, 'malformed_body'));
      expect(await send('[]')).toMatchObject(problem(422, 'invalid_type', { pointer: '' }));
      expect(await send('{}')).toMatchObject(problem(422, 'required', { pointer: '/data' }));
      expect(await send('{"data":{}}')).toMatchObject(
        problem(422, 'required', { pointer: '/data/type' }),
      );
      const other = '{"data":{"type":"medias","attributes":{}}}';
      expect(await send(other)).toMatchObject(problem(409, 'wrong_type'));
      const own = `{"data":{"type":"${TYPE}","id":"${randomUUID()}"}}`;
      expect(await send(own)).toMatchObject(problem(403, 'client_id_unsupported'));
      expect(await send('{}', 'text/plain')).toMatchObject(
        problem(415, 'unsupported_media_type', { header: 'Content-Type' }),
      );
      expect(await call(app(), 'POST /jobs')).toMatchObject(problem(422, 'required'));
    });

    it('only once while another job of the same unicity is unfinished', async () => {
      const attributes = importOf({ unicity: randomUUID() });
      const [first, second] = [await post(attributes), await post(attributes)];
      expect([first.status, second.status]).toEqual([201, 422]);
      expect(second).toMatchObject(problem(422, 'already_exists'));
      await send(first.body.data.id, { signal: 'cancel' });
      expect((await post(attributes)).status).toBe(201);
    });

    it('by an editor or an admin', async () => {
      expect((await post(importOf(), { as: 'eva' })).status).toBe(201);
      const reader = { as: 'rosa', role: 'reader' };
      expect(await post(importOf(), reader)).toMatchObject(problem(403, 'forbidden'));
      expect(await post(importOf(), { as: null })).toMatchObject(problem(401, 'not_authenticated'));
    });
  });

  describe('is signalled', () => {
    it('and is returned in its new state; the same signal again changes nothing', async () => {
      const id = await makeJob(app());
      for (const _ of [1, 2]) {
        const { status, body } = await send(id, { signal: 'pause' });
        expect([status, body.data.id, body.data.attributes.status]).toEqual([200, id, 'paused']);
      }
      const resumed = await send(id, {
        data: { type: 'signal', attributes: { signal: 'resume' } },
      });
      expect(resumed.body.data.attributes.status).toBe('pending');
      const raised = await send(id, { signal: 'set_priority', priority: 9 });
      expect(raised.body.data.attributes.priority).toBe(9);
      const at = '2031-01-01T10:00:00.000Z';
      const moved = await send(id, { signal: 'reschedule', at });
      expect(moved.body.data.attributes.scheduled_at).toBe(at);
      const { body } = await send(id, { signal: 'reschedule', after: 3600 });
      const inMs = Date.parse(body.data.attributes.scheduled_at) - Date.now();
      expect(Math.round(inMs / 60_000)).toBe(60);
      await send(id, { signal: 'cancel', reason: 'not needed' });
      const shown = await call(
        app(),
        `GET /jobs/${id}?fields=status,cancel_reason,allowed_signals`,
      );
      expect(shown.body.data.attributes).toEqual({
        status: 'cancelled',
        cancel_reason: 'not needed',
        allowed_signals: ['retry', 'reschedule'],
      });
    });

    it('but not in a state that forbids the signal: 409, with the allowed signals', async () => {
      const id = await makeJob(app(), { status: 'errored', finished_at: Date.now() });
      const answer = await send(id, { signal: 'pause' });
      expect(answer).toMatchObject(problem(409, 'illegal_signal'));
      expect(answer.body.errors[0].meta).toEqual({
        status: 'errored',
        allowed_signals: ['retry', 'reschedule', 'discard'],
      });
    });

    it.each<[object, string]>([
      [{}, '/signal'],
      [{ signal: 'jump' }, '/signal'],
      [{ signal: 'PAUSE' }, '/signal'],
      [{ signal: 'set_priority' }, '/priority'],
      [{ signal: 'set_priority', priority: 'high' }, '/priority'],
      [{ signal: 'reschedule' }, '/at'],
      [{ signal: 'reschedule', at: 'x' }, '/at'],
      [{ signal: 'reschedule', after: -1 }, '/after'],
      [{ signal: 'pause', when: 'now' }, '/when'],
      [{ data: { attributes: { signal: 'jump' } } }, '/data/attributes/signal'],
    ])('not by %j', async (body, pointer) => {
      const answer = await send(await makeJob(app()), body);
      expect([answer.status, answer.body.errors[0].source]).toEqual([422, { pointer }]);
    });

    it('only for an existing job, and with permission', async () => {
      for (const id of [randomUUID(), 'abc']) {
        expect(await send(id, { signal: 'pause' })).toMatchObject(problem(404, 'not_found'));
      }
      const media_id = await makeMediaRow(app().services.db);
      const shown = await makeJob(app(), { media_id });
      const stranger = await send(shown, { signal: 'pause' }, { as: 'eva' });
      expect(stranger).toMatchObject(problem(403, 'forbidden'));
      const hidden = await send(await makeJob(app()), { signal: 'pause' }, { as: 'eva' });
      expect(hidden).toMatchObject(problem(404, 'not_found'));
      const own = await post(importOf(), { as: 'eva' });
      expect((await send(own.body.data.id, { signal: 'pause' }, { as: 'eva' })).status).toBe(200);
    });
  });
});
