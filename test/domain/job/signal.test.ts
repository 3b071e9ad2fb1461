import { expect, it } from 'vitest';
import { enqueueJob } from '../../../src/domain/job/enqueue.ts';
import type { Job } from '../../../src/domain/job/job.ts';
import { signalJob } from '../../../src/domain/job/signal.ts';
import {
  allowedSignals,
  JOB_SIGNALS,
  JOB_STATUSES,
  type JobPhase,
  type JobSignal,
  type JobStatus,
  phaseOf,
} from '../../../src/domain/job/state.ts';
import { SYSTEM } from '../../../src/domain/viewer/viewer.ts';
import type { JobChange } from '../../../src/store/table.ts';
import { type TestServices, user, withServices } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { makeMediaRow } from '../../support/make.ts';
import { addJob, readJob } from '../../support/worker.ts';

const ADMIN = user('root', 'admin');
const HOUR_MS = 3_600_000;
const AT = new Date(Date.UTC(2031, 0, 1));
const INPUT = { at: AT, priority: 9, reason: 'because' };

/** The effect of a signal on a job; `same`: no effect, because the job is in that state already; or `illegal`. */
type Effect = ((job: Job, now: Date) => Partial<Job>) | 'same' | 'illegal';

const reopened = (scheduledAt: Date) => ({
  status: 'pending' as const,
  scheduledAt,
  progress: 0,
  error: null,
  finishedAt: null,
  cancelRequestedAt: null,
  cancelReason: null,
});
const retry: Effect = (_job, now) => reopened(now);
const runNow: Effect = (_job, now) => ({ status: 'pending', scheduledAt: now });
const reschedule: Effect = () => ({ scheduledAt: AT });
const reopenLater: Effect = () => reopened(AT);
const cancel: Effect = (_job, now) => ({
  status: 'cancelled',
  finishedAt: now,
  cancelRequestedAt: now,
  cancelReason: 'because',
});
const requestEnd: Effect = (_job, now) => ({ cancelRequestedAt: now, cancelReason: 'because' });
const pause: Effect = () => ({ status: 'paused' });
const resume: Effect = () => ({ status: 'pending' });
const setPriority: Effect = () => ({ priority: 9 });
const giveUp: Effect = ({ retryCount }, now) => ({
  status: 'errored',
  error: 'because',
  maxRetries: retryCount,
  finishedAt: now,
});
const giveUpAgain: Effect = ({ retryCount }) => ({ error: 'because', maxRetries: retryCount });

/** Contract §7.3: every signal from every state. */
const TABLE: Record<JobStatus, Record<JobSignal, Effect>> = {
  pending: {
    retry: 'same',
    run_now: runNow,
    reschedule,
    cancel,
    pause,
    resume: 'same',
    set_priority: setPriority,
    discard: giveUp,
  },
  running: {
    retry: 'illegal',
    run_now: 'illegal',
    reschedule: 'illegal',
    cancel: requestEnd,
    pause: 'illegal',
    resume: 'illegal',
    set_priority: 'illegal',
    discard: 'illegal',
  },
  paused: {
    retry: 'illegal',
    run_now: runNow,
    reschedule,
    cancel,
    pause: 'same',
    resume,
    set_priority: setPriority,
    discard: 'illegal',
  },
  completed: {
    retry: 'illegal',
    run_now: 'illegal',
    reschedule: 'illegal',
    cancel: 'illegal',
    pause: 'illegal',
    resume: 'illegal',
    set_priority: 'illegal',
    discard: 'illegal',
  },
  errored: {
    retry,
    run_now: 'illegal',
    reschedule: reopenLater,
    cancel: 'illegal',
    pause: 'illegal',
    resume: 'illegal',
    set_priority: 'illegal',
    discard: giveUpAgain,
  },
  cancelled: {
    retry,
    run_now: 'illegal',
    reschedule: reopenLater,
    cancel: 'same',
    pause: 'illegal',
    resume: 'illegal',
    set_priority: 'illegal',
    discard: 'illegal',
  },
};

const CASES = JOB_STATUSES.flatMap((status) =>
  JOB_SIGNALS.map((signal) => [signal, status, TABLE[status][signal]] as const),
);

describeEachBackend('the signals of a job', (backend) => {
  it('have the effect of the table, have no effect, or are rejected with the allowed signals', () =>
    withServices(backend, async (services) => {
      for (const [signal, status, effect] of CASES) {
        const id = await makeJobIn(services, status);
        const before = await readJob(services, id);
        const name = `${signal} of a job that is ${status}`;
        services.advance(1000);
        const now = new Date(services.clock());
        const answer = send(services, id, signal);
        if (effect === 'illegal') {
          const details = { status, allowedSignals: allowedSignals(status) };
          await expect(answer, name).rejects.toMatchObject({ code: 'ILLEGAL_SIGNAL', ...details });
          expect(await readJob(services, id), name).toEqual(before);
          continue;
        }
        const isSame = effect === 'same';
        const expected = isSame ? before : { ...before, ...effect(before, now), updatedAt: now };
        expect(await answer, name).toEqual(expected);
        expect(await readJob(services, id), name).toEqual(expected);
      }
    }));

  it('are allowed exactly where they have an effect', () => {
    for (const status of JOB_STATUSES) {
      const effective = JOB_SIGNALS.filter((signal) => typeof TABLE[status][signal] === 'function');
      expect([status, allowedSignals(status)]).toEqual([status, effective]);
    }
  });

  it('change nothing when they are repeated', () =>
    withServices(backend, async (services) => {
      for (const [signal, status, effect] of CASES) {
        // Repeating a signal to a finished job is another case of the table.
        if (typeof effect === 'string' || signal === 'reschedule') continue;
        const id = await makeJobIn(services, status);
        const first = await send(services, id, signal);
        services.advance(1000);
        // `discard` has made the waiting job errored, so that the row of errored jobs applies.
        const second = await send(services, id, signal).catch((error) => error.code);
        expect([signal, status, second]).toEqual([signal, status, first]);
      }
    }));

  it('notify subscribers', () =>
    withServices(backend, async (services) => {
      const id = await addJob(services);
      const heard: unknown[] = [];
      const { events } = services;
      const spying = { ...services, events: { ...events, publish: (e: unknown) => heard.push(e) } };
      const ctx = { ...spying, viewer: ADMIN } as never;
      await signalJob(ctx, id, { signal: 'pause' });
      await signalJob(ctx, id, { signal: 'pause' });
      expect(heard).toEqual([{ type: 'job', id }]);
    }));

  it('are accepted from the user who started the job, and from admins', () =>
    withServices(backend, async (services) => {
      const startedBy = { id: 'eva', role: 'editor' };
      const mediaId = await makeMediaRow(services.db);
      const own = await addJob(services, 'x', { startedBy, mediaId });
      const system = await addJob(services, 'y', { mediaId });
      const hidden = await addJob(services, 'z', { startedBy });
      const code = (viewer: Parameters<TestServices['as']>[0], id: number) =>
        signalJob(services.as(viewer), id, { signal: 'pause' }).then(
          ({ status }) => status,
          (error) => error.code,
        );
      expect(await code(undefined, own)).toBe('NOT_AUTHENTICATED');
      expect(await code(user('eva', 'reader'), own)).toBe('FORBIDDEN');
      expect(await code(user('max'), own)).toBe('FORBIDDEN');
      expect(await code(user('max'), hidden)).toBe('NOT_FOUND');
      expect(await code(user('eva'), system)).toBe('FORBIDDEN');
      expect(await code(user('eva'), own)).toBe('paused');
      expect(await code(ADMIN, system)).toBe('paused');
      expect(await code(ADMIN, 999_999)).toBe('NOT_FOUND');
      expect(await code(user('eva'), 999_999)).toBe('NOT_FOUND');
    }));

  it('require their arguments', () =>
    withServices(backend, async (services) => {
      const id = await addJob(services);
      const issue = (input: object) =>
        signalJob(services.as(ADMIN), id, input as never).catch((error) => error.issues[0].path);
      expect(await issue({ signal: 'reschedule' })).toEqual(['at']);
      expect(await issue({ signal: 'set_priority' })).toEqual(['priority']);
      expect(await issue({ signal: 'set_priority', priority: 2 ** 31 })).toEqual(['priority']);
      expect(await issue({ signal: 'cancel', reason: 'x'.repeat(501) })).toEqual(['reason']);
      expect(await issue({ signal: 'jump' })).toEqual(['signal']);
    }));

  it('do not reopen a job whose unicity another job has taken', () =>
    withServices(backend, async (services) => {
      for (const signal of ['retry', 'reschedule'] as const) {
        const old = await addJob(services, 'x', { unicity: 'one' });
        await send(services, old, 'cancel');
        const id = await addJob(services, 'x', { unicity: 'one' });
        expect(id).not.toBe(old);
        const { uuid } = await readJob(services, id);
        await expect(send(services, old, signal)).rejects.toMatchObject({
          code: 'ALREADY_EXISTS',
          holder: uuid,
        });
        await send(services, id, 'cancel');
        expect(await send(services, old, signal)).toMatchObject({ status: 'pending' });
        await send(services, old, 'cancel');
      }
    }));
});

it.each<[JobPhase, Partial<Job>]>([
  ['queued', {}],
  ['queued', { retryCount: 1, error: 'E: m' }],
  ['scheduled', { scheduledAt: new Date(1001) }],
  ['scheduled', { scheduledAt: new Date(1001), retryCount: 1 }],
  ['retrying', { scheduledAt: new Date(1001), retryCount: 1, error: 'E: m' }],
  ['running', { status: 'running' }],
  ['cancelling', { status: 'running', cancelRequestedAt: new Date(1) }],
  ['paused', { status: 'paused', scheduledAt: new Date(1001) }],
  ['completed', { status: 'completed' }],
  ['errored', { status: 'errored', error: 'E: m' }],
  ['cancelled', { status: 'cancelled', cancelRequestedAt: new Date(1) }],
])('the phase of a job is %s: %j', (phase, more) => {
  const scheduledAt = new Date(1000);
  const waiting = { scheduledAt, retryCount: 0, error: null, cancelRequestedAt: null };
  expect(phaseOf({ status: 'pending', ...waiting, ...more }, 1000)).toBe(phase);
});

describeEachBackend('the unicity of jobs', (backend) => {
  it('is unique among unfinished jobs, and free afterwards', () =>
    withServices(backend, async (services) => {
      for (const status of JOB_STATUSES) {
        const first = await makeJobIn(services, status, { unicity: status });
        const isOpen = ['pending', 'running', 'paused'].includes(status);
        const ctx = services.as(SYSTEM);
        const second = await enqueueJob(ctx, 'sweep', {}, { unicity: status });
        expect([status, second.isNew, second.job.id === first]).toEqual([status, !isOpen, isOpen]);
      }
    }));

  it('accepts one of many simultaneous starts', () =>
    withServices(backend, async (services) => {
      const many = Array.from({ length: 10 }, () => addJob(services, 'x', { unicity: 'one' }));
      expect(new Set(await Promise.all(many)).size).toBe(1);
      const jobs = await services.db.selectFrom('job').selectAll().execute();
      expect(jobs).toHaveLength(1);
    }));
});

function send(services: TestServices, id: number, signal: JobSignal): Promise<Job> {
  return signalJob(services.as(ADMIN), id, { signal, ...INPUT });
}

/** Creates a job that has failed before and will run in an hour. */
async function makeJobIn(
  services: TestServices,
  status: JobStatus,
  more: JobChange = {},
): Promise<number> {
  const now = services.clock();
  const id = await addJob(services, 'x', { scheduledAt: new Date(now + HOUR_MS) });
  const isOver = ['completed', 'errored', 'cancelled'].includes(status);
  const row = { status, retry_count: 3, progress: 0.4, error: 'E: m', ...more };
  const over = {
    ...(isOver && { finished_at: now }),
    ...(status === 'cancelled' && { cancel_requested_at: now, cancel_reason: 'x' }),
  };
  await services.db
    .updateTable('job')
    .set({ ...row, ...over })
    .where('id', '=', id)
    .execute();
  return id;
}
