/** The values of one metric, as prom-client represents them. */
export interface Sample {
  name: string;
  help: string;
  type: 'counter' | 'gauge' | 'histogram';
  /** How the values of several processes become one. */
  aggregator: 'sum' | 'max' | 'first';
  values: SampleValue[];
}

interface SampleValue {
  value: number;
  labels: Record<string, string | number>;
  /** Of a part of a histogram. */
  metricName?: string;
}

/** What a metric is called, and what its values are labelled with. */
export interface Description {
  name: string;
  help: string;
  labels?: readonly string[];
}

/** A number of events, for each combination of labels. */
export interface Counter {
  add(by: number, ...labels: string[]): void;
  read(): Sample;
}

/** The distribution of durations, for each combination of labels. */
export interface Histogram {
  observe(seconds: number, ...labels: string[]): void;
  read(): Sample;
}

/**
 * Creates a counter. An event takes about 0.25 µs; those of prom-client take 0.75 µs, which adds up: each request has a
 * handful of statements.
 */
export function createCounter(description: Description): Counter {
  const cells = createCells(description, () => ({ value: 0 }));
  return {
    add(by, ...labels) {
      cells.at(labels).value += by;
    },
    read: () => toSample(description, 'counter', cells.list()),
  };
}

/** Creates a histogram with these upper bounds of its buckets, in ascending order, in seconds. */
export function createHistogram(
  description: Description,
  bounds: readonly number[] = DURATIONS,
): Histogram {
  const cells = createCells(description, () => ({
    counts: new Float64Array(bounds.length + 1),
    sum: 0,
  }));
  return {
    observe(seconds, ...labels) {
      const cell = cells.at(labels);
      let bucket = 0;
      while (bucket < bounds.length && seconds > (bounds[bucket] ?? 0)) bucket++;
      cell.counts[bucket] = (cell.counts[bucket] ?? 0) + 1;
      cell.sum += seconds;
    },
    read() {
      const values = cells
        .list()
        .flatMap((cell) => histogramValues(description.name, cell, bounds));
      return toSample(description, 'histogram', values);
    },
  };
}

/** The bounds of durations from a look-up to a request that takes long. */
const DURATIONS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Creates a sample of values that are read, not counted. */
export function gauge(
  description: Pick<Description, 'name' | 'help'>,
  values: readonly SampleValue[],
  aggregator: Sample['aggregator'] = 'sum',
): Sample {
  return { ...toSample(description, 'gauge', values), aggregator };
}

function toSample(
  { name, help }: Pick<Description, 'name' | 'help'>,
  type: Sample['type'],
  values: readonly SampleValue[],
): Sample {
  return { name, help, type, aggregator: 'sum', values: [...values] };
}

/** Creates what is counted for each combination of labels. */
function createCells<Cell extends object>({ labels: names = [] }: Description, create: () => Cell) {
  const cells = new Map<string, Cell & { labels: Record<string, string> }>();
  // Known from the start: a counter that appears with its first event hides that event from `rate`.
  if (names.length === 0) cells.set('', { ...create(), labels: {} });
  return {
    at(labels: readonly string[]): Cell {
      const key = labels.length === 1 ? (labels[0] ?? '') : labels.join('\n');
      const known = cells.get(key);
      if (known !== undefined) return known;
      const named = Object.fromEntries(names.map((name, index) => [name, labels[index] ?? '']));
      const cell = { ...create(), labels: named };
      cells.set(key, cell);
      return cell;
    },
    list: () => [...cells.values()],
  };
}

interface HistogramCell {
  labels: Record<string, string>;
  counts: Float64Array;
  sum: number;
}

/** Returns the values of a histogram, whose buckets include those before. */
function histogramValues(
  name: string,
  { labels, counts, sum }: HistogramCell,
  bounds: readonly number[],
): SampleValue[] {
  let count = 0;
  const buckets = Array.from(counts, (inBucket, index) => {
    count += inBucket;
    const le = bounds[index] ?? '+Inf';
    return { value: count, labels: { le, ...labels }, metricName: `${name}_bucket` };
  });
  return [
    ...buckets,
    { value: sum, labels, metricName: `${name}_sum` },
    { value: count, labels, metricName: `${name}_count` },
  ];
}
