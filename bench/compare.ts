import { setTimeout } from 'node:timers/promises';
import { cpuMsOf } from './process-status.ts';

/** A server under one load, measured against others under the same load. */
export interface Contender {
  name: string;
  /** Whether it is what Trivium is compared with; false for Trivium. */
  isLimit: boolean;
  /** Of the server. */
  pid: number;
  run: () => Promise<Round>;
  /** Deletes the files of a round; not measured. */
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
  /** Processor time of the server per unit of the amount: steadier than a rate on a busy machine. */
  cpuMs: number;
  /** Our rate divided by this one's, the median of the rounds' own ratios; null for ours. */
  ratio: number | null;
  /** This one's processor time per unit divided by ours, likewise. */
  cpuRatio: number | null;
}

/**
 * Runs the contenders in turn, so that a slow minute of the machine slows all of them, and a ratio compares rounds
 * that follow each other. The first round of each warms up and does not count.
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
      await becomesIdle(contender.pid);
      if (round > 0) results.get(contender)!.push({ ...result, cpuMs });
    }
  }
  const ours = results.get(contenders.find(({ isLimit }) => !isLimit)!)!;
  return [...results].map(([contender, theirs]) => toStanding(contender, theirs, ours));
}

/** How long a server has to use no processor time to count as idle, and the longest wait for that. */
const IDLE_MS = 100;
const BUSY_MS_MAX = 3000;

/**
 * Waits until a server has ended what its round left behind. The servers share a core: bare Yoga collects garbage for
 * about a second after its rounds, which took a fifth of the next server's rate.
 */
async function becomesIdle(pid: number): Promise<void> {
  const startedAt = performance.now();
  for (let before = -1; performance.now() - startedAt < BUSY_MS_MAX; ) {
    const now = cpuMsOf(pid);
    if (Object.is(now, before)) return;
    before = now;
    await setTimeout(IDLE_MS);
  }
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

/** Returns the middle value. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2;
}

/** Nearest rank. */
function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}
