import type { FastifyInstance } from 'fastify';
import type { ObserveCall } from '../blob/observed.ts';
import type { Services } from '../domain/context.ts';
import type { Observer } from '../domain/observer.ts';
import { createStopwatch } from '../lib/stopwatch.ts';
import type { Sample } from './instrument.ts';
import { createMetrics } from './metrics.ts';
import { createObserver, observeCalls, observeStatements } from './observer.ts';
import { readProcess } from './process-metrics.ts';
import { logTraceIds, measureRequests, traceRequests } from './requests.ts';
import { createStateReader } from './state.ts';
import type { TracerOptions, TracingSettings } from './tracer.ts';
import type { Tracing } from './tracing.ts';

/** The metrics and the traces of one server. Each part of the server gets the function that observes it. */
export interface Telemetry {
  observer: Observer;
  onQuery: (sql: string, ms: number) => void;
  observeBlobs: ObserveCall;
  observeStaging: ObserveCall;
  /** Observes the requests of a server. Call it before other hooks are added. */
  observeRequests(server: FastifyInstance): void;
  /** The time in which at least one request was being served, in milliseconds. */
  servingMs(): number;
  /** Creates the function that returns the metrics of this process. `toPrometheus` joins those of several processes. */
  createCollect(services: Services): Collect;
  stop(): Promise<void>;
}

/** Returns the metrics of a process. `hasQueue`: also those of the queue, which all processes share. */
export type Collect = (options: { hasQueue: boolean }) => Promise<Sample[]>;

/** Options of `startTelemetry`. */
export interface TelemetryOptions<Log> {
  /** Null: no traces. */
  tracing: TracingSettings | null;
  /** The version of this server. */
  version: string;
  /** Creates the log. `fields` returns those of the current span, for each line. */
  createLog: (fields?: () => object) => Log;
  /** Also called for each statement, for tests. */
  onQuery?: OnQuery | undefined;
}

type OnQuery = Telemetry['onQuery'];

/** Starts to measure, and to record traces. Returns the log, too, because it names the traces. */
export async function startTelemetry<Log extends TracerOptions['log']>({
  tracing: settings,
  version,
  createLog,
  onQuery,
}: TelemetryOptions<Log>): Promise<{ log: Log; telemetry: Telemetry }> {
  if (settings === null) return { log: createLog(), telemetry: createTelemetry(null, onQuery) };
  let tracing: Tracing | null = null;
  const log = createLog(() => tracing?.logFields() ?? {});
  // Loaded only where traces are wanted: 2 MB of programs.
  const { createTracing } = await import('./tracing.ts');
  tracing = await createTracing({ ...settings, version, log });
  return { log, telemetry: createTelemetry(tracing, onQuery) };
}

function createTelemetry(tracing: Tracing | null, onQuery: OnQuery | undefined): Telemetry {
  const metrics = createMetrics();
  const serving = createStopwatch();
  return {
    observer: createObserver(metrics, tracing),
    onQuery: both(observeStatements(metrics, tracing), onQuery),
    observeBlobs: observeCalls(metrics, tracing, 'blobs'),
    observeStaging: observeCalls(metrics, tracing, 'staging'),
    observeRequests(server) {
      measureRequests(server, metrics, serving);
      if (tracing === null) logTraceIds(server);
      else traceRequests(server, tracing);
    },
    servingMs: serving.totalMs,
    createCollect(services) {
      const readState = createStateReader(services);
      return async (options) => {
        const [node, state] = await Promise.all([readProcess(), readState(options)]);
        return [...metrics.read(), ...state, ...node];
      };
    },
    stop: async () => tracing?.stop(),
  };
}

function both(observe: OnQuery, also: OnQuery | undefined): OnQuery {
  if (also === undefined) return observe;
  return (sql, ms) => {
    observe(sql, ms);
    also(sql, ms);
  };
}
