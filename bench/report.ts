import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import type { Standing } from './compare.ts';

let resultsPath: string | null = null;

/** Has everything that is printed from now on written to a Markdown file, too, and after it what was tried. */
export function writeResultsTo(path: string): void {
  resultsPath = path;
  writeFileSync(path, `${HEAD}\n\n\`\`\`\n`);
  const tried = readFileSync(new URL('./tried.md', import.meta.url), 'utf8');
  process.on('exit', () => appendFileSync(path, `\`\`\`\n\n${tried}`));
}

const HEAD = `# Results of the benchmark

Written by \`npm run bench -- --results bench/RESULTS.md\`. Ratios within a run hold across machines; absolute figures
do not. \`trivium/it\` is Trivium's rate divided by the row's; \`cpu it/trivium\` is the row's processor time per unit
divided by Trivium's. \`@tus/server: no checksum\` acknowledges bytes that it has neither hashed nor synced.`;

/** Prints a line. */
export function print(line: string): void {
  console.log(line);
  if (resultsPath !== null) appendFileSync(resultsPath, `${line}\n`);
}

/** Prints rows in columns: the first to the left, the others to the right. */
export function printTable(
  title: string,
  head: readonly string[],
  rows: readonly string[][],
): void {
  const widths = head.map((_, column) =>
    Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!),
      )
      .join('  ')
      .trimEnd();
  print(`\n${title}`);
  for (const row of [head, ...rows]) print(`  ${line(row)}`);
}

/** One comparison; `unit` is of the rate. */
export function printStandings(title: string, unit: string, standings: readonly Standing[]): void {
  const rows = standings.map(({ name, perSecond, p50Ms, p99Ms, cpuMs, ratio, cpuRatio }) => [
    name,
    formatRate(perSecond),
    p50Ms.toFixed(2),
    p99Ms.toFixed(2),
    cpuMs.toFixed(3),
    ratio === null ? '' : ratio.toFixed(2),
    cpuRatio === null ? '' : cpuRatio.toFixed(2),
  ]);
  const cpu = `CPU ms/${unit.replace(/s?\/s$/, '')}`;
  printTable(title, ['', unit, 'p50 ms', 'p99 ms', cpu, 'trivium/it', 'cpu it/trivium'], rows);
}

function formatRate(rate: number): string {
  return Math.round(rate).toLocaleString('en');
}

export function formatMib(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}
