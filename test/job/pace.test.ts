import { expect, test } from 'vitest';
import { createPace } from '../../src/job/pace.ts';
import { createStopwatch } from '../../src/lib/stopwatch.ts';

/** A pace over a clock that the test moves; the thread works all the time unless `share` says less. */
function createTimed({ cores, share = 1 }: { cores: number; share?: number }) {
  let nowMs = 0;
  const now = () => nowMs;
  const serving = createStopwatch(now);
  const utilization = () => ({ idle: 0, active: 0, utilization: share });
  const pace = createPace({ servingMs: serving.totalMs, cores, now, utilization });
  const pass = (ms: number) => {
    nowMs += ms;
  };
  const runJob = (ms: number, isLowPriority = false) => {
    const end = pace.start(isLowPriority);
    pass(ms);
    end();
  };
  return { pace, serving, pass, runJob };
}

test('without requests, jobs neither rest nor wait for each other', () => {
  const { pace, runJob } = createTimed({ cores: 1 });
  runJob(100);
  expect(pace.restMs()).toBe(0);
  expect(pace.slots()).toBe(Number.POSITIVE_INFINITY);
});

test('on the only core, a job that ran beside requests is followed by a longer rest, then by one job', () => {
  const { pace, serving, pass, runJob } = createTimed({ cores: 1 });
  serving.begin();
  runJob(100);
  expect(pace.slots()).toBe(0);
  expect(pace.restMs()).toBeGreaterThanOrEqual(500);
  pass(pace.restMs());
  expect(pace.slots()).toBe(1);
});

test('on the only core, a job of low priority that ran beside requests is followed by one job, without a rest', () => {
  const { pace, serving, runJob } = createTimed({ cores: 1 });
  serving.begin();
  runJob(100, true);
  expect(pace.restMs()).toBe(0);
  expect(pace.slots()).toBe(1);
});

test('the rest has a limit, so that a long job does not stop all others', () => {
  const { pace, serving, runJob } = createTimed({ cores: 1 });
  serving.begin();
  runJob(600_000);
  expect(pace.restMs()).toBeLessThanOrEqual(5000);
});

test('with more cores, jobs leave one to requests and do not rest', () => {
  const { pace, serving, runJob } = createTimed({ cores: 3 });
  serving.begin();
  runJob(100);
  expect(pace.restMs()).toBe(0);
  expect(pace.slots()).toBe(2);
});

test('a request that waits for a slow client does not slow jobs down', () => {
  const { pace, serving, runJob } = createTimed({ cores: 1, share: 0.05 });
  serving.begin();
  runJob(100);
  expect(pace.restMs()).toBe(0);
});

test('once requests have ended, the next job removes the limits', () => {
  const { pace, serving, pass, runJob } = createTimed({ cores: 1 });
  serving.begin();
  runJob(100);
  serving.end();
  pass(pace.restMs());
  runJob(100);
  expect(pace.slots()).toBe(Number.POSITIVE_INFINITY);
});
