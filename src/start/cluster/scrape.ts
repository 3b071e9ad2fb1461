import { gauge, type Sample } from '../../telemetry/instrument.ts';
import { joinSamples, readProcess, toPrometheus } from '../../telemetry/process-metrics.ts';
import type { Line } from './hub.ts';
import type { MetricsMessage } from './message.ts';

/** Collects the metrics of all processes of a server. */
export interface Scrapes {
  /** Adds a worker that starts. */
  join(line: Line): void;
  /** From now on, the worker is asked: it accepts requests. */
  begin(name: string): void;
  /** Removes a worker that has ended. What it had counted by the last scrape still counts. */
  leave(name: string): void;
  receive(from: string, message: MetricsMessage): void;
}

/** A worker that is asked. */
interface Source extends Line {
  isReady: boolean;
  /** The answer that has not come yet: a worker that hangs is asked once. */
  asked: PromiseWithResolvers<Sample[] | null> | undefined;
  /** What it had counted by its last answer. */
  counted: Sample[];
}

/** Maximum wait for the workers: longer than one of them waits for its database, and shorter than Prometheus waits. */
const ANSWER_TIMEOUT_MS = 2000;

/** Creates the collection of no workers. `readOwn` returns the metrics of the primary process. */
export function createScrapes(
  readOwn: () => Promise<Sample[]> = readProcess,
  timeoutMs = ANSWER_TIMEOUT_MS,
): Scrapes {
  const sources = new Map<string, Source>();
  /** What workers have counted that have ended: a counter that falls would look like a restart of all. */
  let past: Sample[][] = [];
  let running: Promise<string> | undefined;

  async function read(asker: string): Promise<string> {
    const all = [...sources.values()].filter(({ isReady }) => isReady);
    const answers = await askAll(all, asker, timeoutMs);
    const own = await readOwn();
    past = [await joinSamples(past)];
    const answered = answers.filter((samples) => samples !== null);
    // Counts of those that did not answer stay as they were. Those of a worker that has ended meanwhile are in `past`.
    const silent = all.filter(
      (source, index) => answers[index] === null && sources.get(source.name) === source,
    );
    const state = workerSamples(all.length, answered.length);
    return toPrometheus([
      ...answered,
      ...silent.map(({ counted }) => counted),
      ...past,
      [...own, ...state],
    ]);
  }

  async function reply(asker: string): Promise<void> {
    running ??= read(asker).finally(() => {
      running = undefined;
    });
    const text = await running.catch(() => null);
    sources.get(asker)?.send({ type: 'group-metrics', text }, () => undefined);
  }

  return {
    join: (line) =>
      void sources.set(line.name, { ...line, isReady: false, asked: undefined, counted: [] }),
    begin(name) {
      const source = sources.get(name);
      if (source !== undefined) source.isReady = true;
    },
    leave(name) {
      const source = sources.get(name);
      if (source === undefined) return;
      sources.delete(name);
      take(source, null);
      past.push(source.counted);
    },
    receive(from, message) {
      const source = sources.get(from);
      if (source === undefined) return;
      // It may get a request before it has told that it accepts them.
      source.isReady = true;
      if (message.type === 'want-metrics') void reply(from);
      else take(source, message.samples);
    },
  };
}

/** Returns the answers of workers; null: none in time. The one that asks also reads the queue. */
async function askAll(
  sources: readonly Source[],
  asker: string,
  timeoutMs: number,
): Promise<(Sample[] | null)[]> {
  const late = Promise.withResolvers<null>();
  const timer = setTimeout(() => late.resolve(null), timeoutMs);
  const asked = sources.map((source) => ask(source, source.name === asker));
  const answers = asked.map((answer) => Promise.race([answer, late.promise]));
  return Promise.all(answers).finally(() => clearTimeout(timer));
}

function ask(source: Source, hasQueue: boolean): Promise<Sample[] | null> {
  if (source.asked === undefined) {
    source.asked = Promise.withResolvers();
    source.send({ type: 'read-metrics', hasQueue }, () => undefined);
  }
  return source.asked.promise;
}

/** Takes the answer of a worker; null: it has ended. */
function take(source: Source, samples: Sample[] | null): void {
  if (samples !== null) source.counted = samples.filter(({ type }) => type !== 'gauge');
  source.asked?.resolve(samples);
  source.asked = undefined;
}

function workerSamples(running: number, answered: number): Sample[] {
  return [
    gauge({ name: 'trivium_workers', help: 'Workers that run.' }, [{ value: running, labels: {} }]),
    gauge(
      {
        name: 'trivium_workers_answered',
        help: 'Workers whose metrics are in this answer; of the others, only counters are, as last known.',
      },
      [{ value: answered, labels: {} }],
    ),
  ];
}
