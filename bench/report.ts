import type { Standing } from './compare.ts';

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
  console.log(`\n${title}`);
  for (const row of [head, ...rows]) console.log(`  ${line(row)}`);
}

/** One comparison; `unit` is of the rate. */
export function printStandings(title: string, unit: string, standings: readonly Standing[]): void {
  const rows = standings.map(({ name, perSecond, p50Ms, p99Ms, cpuMs, ratio }) => [
    name,
    formatRate(perSecond),
    p50Ms.toFixed(2),
    p99Ms.toFixed(2),
    cpuMs.toFixed(3),
    ratio === null ? '' : ratio.toFixed(2),
  ]);
  const cpu = `CPU ms/${unit.replace(/s?\/s$/, '')}`;
  printTable(title, ['', unit, 'p50 ms', 'p99 ms', cpu, 'Trivium/limit'], rows);
}

function formatRate(rate: number): string {
  return Math.round(rate).toLocaleString('en');
}

export function formatMib(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}
