/** Counts by name of what is in use, such as the open connections of each address. */
export interface Tally {
  /** Returns what is in use in all workers of this server, as far as this process knows. */
  get(name: string): number;
  /** Adds to what this process uses; `by` may be negative. */
  change(name: string, by: number): void;
  /** Number of names that this process uses. */
  readonly size: number;
}

/** Returns a tally. All tallies of one noun have the same counts. */
export type TallyOf = (noun: string) => Tally;

/** Exchanges tallies with the other workers of a server. */
export interface TallyExchange {
  tallyOf: TallyOf;
  /** Receives a notice of another worker. Returns false if it contains no counts. */
  receive(text: string): boolean;
  /** Forgets what a worker used that has ended. */
  forget(worker: string): void;
  /** Tells the others everything again: they may have missed a notice. */
  repeat(): void;
}

/** Creates the tallies of a process that shares them with nobody. */
export function createTallies(): TallyOf {
  return createTallyExchange(async () => true, { worker: '', delayMs: null }).tallyOf;
}

/** Time for which changes are gathered: a worker sends at most 50 notices a second, and a limit is exceeded for that long. */
const DELAY_MS = 20;

const BEGIN = '{"tally":';

interface Notice {
  /** The sender. */
  tally: string;
  /** What it uses: the new counts, not the differences, so that a lost notice is made good by the next. */
  counts: (readonly [key: string, count: number])[];
  /** Whether the sender has just begun, and knows nothing of the others. */
  isNew: boolean;
}

/**
 * Creates the tallies of one of several workers. `worker` is its name. `tell` returns whether the notice was sent.
 * `delayMs` null: tells nothing.
 */
export function createTallyExchange(
  tell: (text: string) => Promise<boolean>,
  { worker, delayMs = DELAY_MS }: { worker: string; delayMs?: number | null },
): TallyExchange {
  const own: Counts = new Map();
  const others = new Map<string, Counts>();
  const changed = new Set<string>();
  let isNew = true;
  let isScheduled = false;

  function schedule(): void {
    if (delayMs === null || isScheduled) return;
    isScheduled = true;
    setTimeout(tellChanges, delayMs).unref();
  }

  async function tellChanges(): Promise<void> {
    const keys = [...changed];
    changed.clear();
    const counts = keys.map((key) => [key, own.get(key) ?? 0] as const);
    const isTold = await tell(JSON.stringify({ tally: worker, counts, isNew } satisfies Notice));
    if (isTold) isNew = false;
    else for (const key of keys) changed.add(key);
    isScheduled = false;
    if (changed.size > 0) schedule();
  }

  function repeat(): void {
    for (const key of own.keys()) changed.add(key);
    if (changed.size > 0) schedule();
  }

  function note(key: string): void {
    if (delayMs === null) return;
    changed.add(key);
    schedule();
  }

  schedule();
  return {
    tallyOf: (noun) => createTally(noun, { own, others, note }),
    receive(text) {
      if (!text.startsWith(BEGIN)) return false;
      const notice = JSON.parse(text) as Notice;
      const counts: Counts = others.get(notice.tally) ?? new Map();
      others.set(notice.tally, counts);
      for (const [key, count] of notice.counts) setCount(counts, key, count);
      if (notice.isNew) repeat();
      return true;
    },
    forget: (name) => void others.delete(name),
    repeat,
  };
}

type Counts = Map<string, number>;

/** Creates the view of the counts of one noun, which are under keys that begin with it. */
function createTally(
  noun: string,
  { own, others, note }: { own: Counts; others: Map<string, Counts>; note: (key: string) => void },
): Tally {
  return {
    get(name) {
      const key = `${noun} ${name}`;
      let sum = own.get(key) ?? 0;
      for (const counts of others.values()) sum += counts.get(key) ?? 0;
      return sum;
    },
    change(name, by) {
      const key = `${noun} ${name}`;
      setCount(own, key, (own.get(key) ?? 0) + by);
      note(key);
    },
    get size() {
      return [...own.keys()].filter((key) => key.startsWith(`${noun} `)).length;
    },
  };
}

function setCount(counts: Counts, key: string, count: number): void {
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
}
