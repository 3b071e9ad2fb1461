import { cpuMsOf } from './process-status.ts';

/** Somebody who does a piece of work, to be measured against others who do the same. */
export interface Contender {
  name: string;
  /** What the others are measured against is a limit; our server is not. */
  isLimit: boolean;
  /** The server that works. */
  pid: number;
  run: () => Promise<Round>;
  /** Removes what a round left behind; not measured. */
  tidy?: () => Promise<void>;
}

export interface Round {
  /** Of requests, files or megabytes. */
  amount: number;
  seconds: number;
  latenciesMs: readonly number[];
}

/** Medians of all rounds. */
export interface Standing {
  name: string;
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  /** Of the server's processor for one unit of the amount: steadier than a rate where others compute too. */
  cpuMs: number;
  /** Our rate divided by this one's, the median of the rounds' own ratios; null for ours. */
  ratio: number | null;
  /** This one's processor time per unit divided by ours, likewise. */
  cpuRatio: number | null;
}

/**
 * Runs the contenders in turn, so that a slow minute of the machine meets all of them, and a ratio is of
 * neighbours in time. A first round of each warms up and does not count.
 */
export async function compare(
  contenders: readonly Contender[],
  rounds: number,
): Promise<Standing[]> {
  const results = new Map<Contender, Measured[]>(contenders.map((contender) => [contender, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const contender of contenders) {
      const cpuBefore = cpuMsOf(contender.pid);
      const result = await contender.run();
      const cpuMs = (cpuMsOf(contender.pid) - cpuBefore) / result.amount;
      await contender.tidy?.();
      if (round > 0) results.get(contender)!.push({ ...result, cpuMs });
    }
  }
  const ours = results.get(contenders.find(({ isLimit }) => !isLimit)!)!;
  return [...results].map(([contender, theirs]) => toStanding(contender, theirs, ours));
}

interface Measured extends Round {
  cpuMs: number;
}

function toStanding({ name, isLimit }: Contender, rounds: Measured[], ours: Measured[]): Standing {
  return {
    name,
    perSecond: median(rounds.map(rate)),
    p50Ms: median(rounds.map(({ latenciesMs }) => percentile(latenciesMs, 0.5))),
    p99Ms: median(rounds.map(({ latenciesMs }) => percentile(latenciesMs, 0.99))),
    cpuMs: median(rounds.map(({ cpuMs }) => cpuMs)),
    ratio: isLimit ? median(rounds.map((round, index) => rate(ours[index]!) / rate(round))) : null,
    cpuRatio: isLimit
      ? median(rounds.map((round, index) => round.cpuMs / ours[index]!.cpuMs))
      : null,
  };
}

function rate({ amount, seconds }: Round): number {
  return amount / seconds;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2;
}

/** Nearest rank. */
function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}
