import type { TestApp } from './app.ts';

/** The metrics of a server at one time. */
export interface Scrape {
  text: string;
  /** The names of all metrics, without the suffixes of histograms. */
  names: Set<string>;
  /** Returns the value of a series, such as `name{label="value"}`; 0 if there is none. */
  value(series: string): number;
}

/** Reads the metrics of a server. Throws if they cannot be read, or if a line is malformed. */
export async function metricsOf(app: Pick<TestApp, 'url'>): Promise<Scrape> {
  const answer = await fetch(`${app.url}/metrics`);
  const text = await answer.text();
  if (answer.status !== 200) throw new Error(`/metrics: ${answer.status} ${text}`);
  return parseMetrics(text);
}

/** Parses the metrics of a server. Throws if a line is malformed. */
export function parseMetrics(text: string): Scrape {
  const values = new Map<string, number>();
  const names = new Set<string>();
  for (const line of text.split('\n').filter((line) => line !== '')) {
    const [, help] = /^# HELP (\S+) /.exec(line) ?? [];
    if (help !== undefined) names.add(help);
    if (line.startsWith('#')) continue;
    const [, series, value] = /^(\w+(?:\{.*\})?) (\S+)$/.exec(line) ?? [];
    if (series === undefined) throw new Error(`Malformed: ${line}`);
    values.set(series, Number(value));
  }
  return { text, names, value: (series) => values.get(series) ?? 0 };
}
