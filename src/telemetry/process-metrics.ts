import type { Registry } from 'prom-client';
import type { Sample } from './instrument.ts';

/** The interval of the measurements of the event loop's delay. */
const PRECISION_MS = 20;

/** One for the process, whose memory and event loop all servers in it share. */
let registry: Promise<Registry> | undefined;

/**
 * Returns the metrics of Node: processor time, memory, garbage collection, and the delay of the event loop since the last
 * call. They begin with the first call, so that a server whose metrics nobody reads pays nothing.
 */
export async function readProcess(): Promise<Sample[]> {
  registry ??= createRegistry();
  const samples = (await (await registry).getMetricsAsJSON()) as unknown as Sample[];
  return samples.map((sample) => ({ ...sample, ...AGGREGATORS[sample.name] }));
}

async function createRegistry(): Promise<Registry> {
  const { collectDefaultMetrics, Registry } = await import('prom-client');
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: PRECISION_MS });
  return registry;
}

/** prom-client leaves the start out, and takes the mean of the delays: of several processes, the worst one counts. */
const AGGREGATORS: Record<string, Pick<Sample, 'aggregator'>> = {
  process_start_time_seconds: { aggregator: 'max' },
  nodejs_eventloop_lag_seconds: { aggregator: 'max' },
  nodejs_eventloop_lag_p50_seconds: { aggregator: 'max' },
  nodejs_eventloop_lag_p90_seconds: { aggregator: 'max' },
  nodejs_eventloop_lag_p99_seconds: { aggregator: 'max' },
};

/** Returns the metrics of several processes as one. */
export async function joinSamples(processes: readonly Sample[][]): Promise<Sample[]> {
  const { AggregatorRegistry } = await import('prom-client');
  const samples = await AggregatorRegistry.aggregate([...processes]).getMetricsAsJSON();
  return samples as unknown as Sample[];
}

/** Returns the text of metrics in the format of Prometheus. Those of several processes become one. */
export async function toPrometheus(processes: readonly Sample[][]): Promise<string> {
  const { AggregatorRegistry } = await import('prom-client');
  return AggregatorRegistry.aggregate([...processes]).metrics();
}
