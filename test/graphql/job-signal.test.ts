import { randomUUID } from 'node:crypto';
import { expect, test, vi } from 'vitest';
import type { Tasks } from '../../src/job/task.ts';
import type { TestApp } from '../support/app.ts';
import { describeEachBackend } from '../support/backend.ts';
import { graphql } from '../support/graphql.ts';
import { makeJwt, makeMediaRow } from '../support/make.ts';
import { shareApp } from '../support/shared-app.ts';
import { type EventStream, withStream } from '../support/sse.ts';
import { addJob, attemptsOf, createGate, jobIn, withWorker } from '../support/worker.ts';

const SECRET = 'the-secret-of-the-tests';

describeEachBackend('signalJob', (backend) => {
  const app = shareApp(backend, { TRIVIUM_JWT_SECRET: SECRET });
  const services = () => ({ ...app().services, log: { info() {}, warn() {}, error() {} } });
  const add = async (options?: Parameters<typeof addJob>[2]) => {
    const id = await addJob(services(), randomUUID(), options);
    return Buffer.from(`Job:${id}`).toString('base64url');
  };
  const signal = async (id: string, input: string, authorization?: string) => {
    const query = `mutation { signalJob(input: { id: "${id}", ${input} }) { __typename
      ... on SignalJobSuccess { job {
        status priority scheduledAt cancelReason allowedSignals finishedAt } }
      ... on Error { code message }
      ... on ConflictError { jobStatus allowedSignals holderUuid }
      ... on InvalidInputError { issues { path } } } }`;
    return (await ask(app(), query, authorization)).signalJob;
  };

  test('returns the job after the signal, with the signals that it allows next', async () => {
    const id = await add();
    expect(await signal(id, 'signal: PAUSE')).toMatchObject({
      __typename: 'SignalJobSuccess',
      job: {
        status: 'PAUSED',
        allowedSignals: ['RUN_NOW', 'RESCHEDULE', 'CANCEL', 'RESUME', 'SET_PRIORITY'],
      },
    });
    const at = '2031-01-01T08:00:00.000Z';
    expect((await signal(id, `signal: RESCHEDULE, at: "${at}"`)).job.scheduledAt).toBe(at);
    expect((await signal(id, 'signal: SET_PRIORITY, priority: -3')).job.priority).toBe(-3);
    expect((await signal(id, 'signal: RESUME')).job.status).toBe('PENDING');
    const now = (await signal(id, 'signal: RUN_NOW')).job;
    expect(Date.parse(now.scheduledAt)).toBeLessThanOrEqual(Date.now());
    const { job } = await signal(id, 'signal: CANCEL, reason: "not needed"');
    expect(job).toMatchObject({ status: 'CANCELLED', cancelReason: 'not needed' });
    expect((await signal(id, 'signal: RETRY')).job).toMatchObject({ status: 'PENDING' });
    expect((await signal(id, 'signal: DISCARD')).job.status).toBe('ERRORED');
  });

  test('refuses a signal that the state does not allow, and lists the allowed ones', async () => {
    const id = await add();
    await signal(id, 'signal: DISCARD');
    expect(await signal(id, 'signal: PAUSE')).toMatchObject({
      __typename: 'ConflictError',
      code: 'ILLEGAL_SIGNAL',
      jobStatus: 'ERRORED',
      allowedSignals: ['RETRY', 'RESCHEDULE', 'DISCARD'],
      holderUuid: null,
    });
    const lacking = await signal(await add(), 'signal: RESCHEDULE');
    expect(lacking).toMatchObject({ code: 'INVALID_INPUT', issues: [{ path: ['input', 'at'] }] });
  });

  test('names the job that has taken the uniqueness key', async () => {
    const unicity = randomUUID();
    const old = await add({ unicity });
    await signal(old, 'signal: CANCEL');
    const { node } = await ask(
      app(),
      `{ node(id: "${await add({ unicity })}") { ... on Job { uuid } } }`,
    );
    const taken = { code: 'ALREADY_EXISTS', holderUuid: node.uuid, jobStatus: null };
    expect(await signal(old, 'signal: RETRY')).toMatchObject(taken);
  });

  test('is allowed to the viewer who started the job and to admins', async () => {
    const mediaId = await makeMediaRow(app().services.db);
    const own = await add({ startedBy: { id: 'eva', role: 'editor' }, mediaId });
    const bearer = async (sub: string, role = 'editor') =>
      `Bearer ${await makeJwt({ sub, role }, { secret: SECRET })}`;
    const pause = (authorization: string) => signal(own, 'signal: PAUSE', authorization);
    expect(await pause(await bearer('max'))).toMatchObject({ code: 'FORBIDDEN' });
    expect(await pause(await bearer('eva', 'reader'))).toMatchObject({ code: 'FORBIDDEN' });
    expect(await pause(await bearer('eva'))).toMatchObject({ job: { status: 'PAUSED' } });
    const { data, errors } = await graphql(
      app(),
      `mutation { signalJob(input: { id: "${own}", signal: RESUME }) { __typename
        ... on Error { code } } }`,
    );
    expect(errors?.[0]?.extensions?.code ?? data.signalJob.code).toBe('NOT_AUTHENTICATED');
  });

  test('and deleteJob end a running job, and subscribers are notified', async () => {
    const authorization = `Bearer ${app().adminKey}`;
    const gate = createGate();
    const ended: string[] = [];
    const tasks: Tasks = {
      'delete-blob': async (_ctx, { blob_keys: [name = ''] }, run) => {
        // Jobs of other tests.
        if (name.length > 1) return;
        run.progress(0.5);
        run.signal.addEventListener('abort', () => ended.push(run.signal.reason.reason));
        await gate.pass(name, run.signal);
      },
    };
    const slow = { pollMs: 60_000, heartbeatMs: 60_000, graceMs: 5000 };
    await withWorker(
      services(),
      tasks,
      async () => {
        const query =
          'subscription { jobChanged(filter: { jobClasses: ["delete-blob"] }) { status progress } }';
        await withStream(
          app(),
          query,
          async ({ next }) => {
            const id = await addJob(services(), 'a');
            const seen: string[] = [];
            while (!seen.includes('RUNNING 0.5')) seen.push(await statusOf(next));
            const node = Buffer.from(`Job:${id}`).toString('base64url');
            expect((await signal(node, 'signal: CANCEL')).job.status).toBe('RUNNING');
            await jobIn(services(), id, 'cancelled');
            while (!seen.at(-1)?.startsWith('CANCELLED')) seen.push(await statusOf(next));
          },
          { authorization },
        );
        const id = await addJob(services(), 'b');
        await gate.reached(2);
        const node = Buffer.from(`Job:${id}`).toString('base64url');
        const deletion = `mutation { deleteJob(input: { id: "${node}" }) { __typename } }`;
        expect((await ask(app(), deletion)).deleteJob.__typename).toBe('DeleteJobSuccess');
        expect(await attemptsOf(services(), id)).toEqual([]);
        await vi.waitFor(() => expect(ended).toEqual(['cancelled', 'lost']));
      },
      slow,
    );
  });
});

async function statusOf(next: EventStream['next']): Promise<string> {
  const job = (await next())?.data.jobChanged;
  return `${job.status} ${job.progress}`;
}

async function ask(app: TestApp, query: string, authorization = `Bearer ${app.adminKey}`) {
  const { data, errors } = await graphql(app, query, {}, { authorization });
  expect(errors).toBeUndefined();
  return data;
}
