import type { ListOperation } from './million-lists.ts';
import { print, printTable } from './report.ts';

/** `bare`: without statistics of the planner. */
export type State = 'bare' | 'analysed';

/** A list, and its database times. */
export interface TimedList {
  operation: ListOperation;
  times: { size: number; state: State; ms: number }[];
}

/**
 * A first page may take three times as long at a million, and a deep page 50 ms. Differences below a millisecond do not
 * count.
 */
const RATIO_MAX = 3;
const DEEP_MS_MAX = 50;
const NOISE_MS = 1;

const LIMITS = `A first page may take ${RATIO_MAX} times as long at 10⁶ as at 10⁴, or ${NOISE_MS} ms, and a deep page ${DEEP_MS_MAX} ms.`;

const STATES: readonly State[] = ['bare', 'analysed'];

/** Prints the times of all lists at a small and a large size, then a summary of each kind of list. */
export function printLists(
  name: string,
  lists: readonly TimedList[],
  sizes: readonly [number, number],
): void {
  const rows = lists.map((list) => {
    const { dialect, name, kind } = list.operation;
    const cells = STATES.flatMap((state) => {
      const [few, many] = timesOf(list, sizes, state);
      return [few.toFixed(2), many.toFixed(2), (many / few).toFixed(1)];
    });
    return [`${dialect}: ${name} (${kind})`, ...cells, isOver(list, sizes) ? 'over' : ''];
  });
  const head = ['', '10⁴', '10⁶', '×', '10⁴ ANALYZE', '10⁶ ANALYZE', '×', ''];
  printTable(`${name}: database time in ms`, head, rows);
  printSummary(name, lists, sizes);
  const over = lists.filter((list) => isOver(list, sizes)).length;
  print(`  ${over} of ${lists.length} over the limit. ${LIMITS}`);
}

/** The lists of a dialect and kind, with and without statistics. */
function printSummary(
  name: string,
  lists: readonly TimedList[],
  sizes: readonly [number, number],
): void {
  const kinds = Map.groupBy(lists, ({ operation: { dialect, kind } }) => `${dialect}, ${kind}`);
  const rows = [...kinds].map(([kind, lists]) => {
    const pairs = lists.flatMap((list) => STATES.map((state) => timesOf(list, sizes, state)));
    const at = (index: 0 | 1) => pairs.map((pair) => pair[index]).sort((a, b) => a - b);
    const [few, many] = [at(0), at(1)];
    const over = lists.filter((list) => isOver(list, sizes)).length;
    const numbers = [middleOf(few), middleOf(many), few.at(-1)!, many.at(-1)!];
    return [kind, String(lists.length), ...numbers.map((ms) => ms.toFixed(1)), String(over)];
  });
  const head = ['', 'lists', 'median 10⁴', 'median 10⁶', 'max 10⁴', 'max 10⁶', 'over'];
  printTable(`${name}: database time in ms, with and without statistics`, head, rows);
}

function timesOf(
  { times }: TimedList,
  sizes: readonly [number, number],
  state: State,
): [few: number, many: number] {
  const at = (size: number) =>
    times.find((time) => time.size === size && time.state === state)?.ms ?? Number.NaN;
  return [at(sizes[0]), at(sizes[1])];
}

function isOver(list: TimedList, sizes: readonly [number, number]): boolean {
  return STATES.some((state) => {
    const [few, many] = timesOf(list, sizes, state);
    if (few === Number.POSITIVE_INFINITY || many === Number.POSITIVE_INFINITY) return true;
    const { kind } = list.operation;
    if (kind === 'first') return many > Math.max(few * RATIO_MAX, NOISE_MS);
    return kind === 'deep' && many > DEEP_MS_MAX;
  });
}

function middleOf(sorted: readonly number[]): number {
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
