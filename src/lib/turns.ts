/** A bounded queue: work takes a turn, waits if too much is running, and ends the turn. */
export interface Turns {
  /** Number of pieces of work that wait. */
  readonly waiting: number;
  /**
   * Waits for a turn and returns the function that ends it. Groups take turns. Within a group, work runs in the order
   * of arrival, so that light work does not overtake heavy work for ever. Throws the error of `tooBusy` at once if
   * `waitingMax` pieces of work are waiting, or `groupWaitingMax` of the group, and after `patienceMs` without a turn.
   */
  take(options?: TurnOptions): Promise<() => void>;
}

/** Options of one turn. */
export interface TurnOptions {
  /** Its share of `weightMax`. Work that is heavier than `weightMax` never gets a turn. (Default: 0) */
  weight?: number;
  /** Owner of the work. A group with much work does not delay the others. (Default: one group for all) */
  group?: string;
  /** Maximum wait for the turn. (Default: for ever) */
  patienceMs?: number;
}

/** The limits of a queue. */
export interface TurnLimits {
  /** Maximum number of turns at once. */
  runningMax: number;
  /** Maximum number of turns of one group at once. (Default: unlimited) */
  groupRunningMax?: number;
  /** The sum of the weights that run at once. (Default: unlimited) */
  weightMax?: number;
  /** Maximum number of waiting pieces of work. (Default: unlimited) */
  waitingMax?: number;
  /** Maximum number of waiting pieces of work of one group. (Default: unlimited) */
  groupWaitingMax?: number;
  /** Creates the error for work that gets no turn. */
  tooBusy: () => Error;
}

/** Several queues that share a limit. */
export interface TurnGroup {
  /** Adds a queue. Whenever a turn is free, the queues that were added before this one are served before it. */
  addQueue(limits: TurnLimits): Turns;
}

/** Creates a queue that shares nothing with others. */
export function createTurns(limits: TurnLimits): Turns {
  return createTurnGroup(limits.runningMax).addQueue(limits);
}

/** Creates a group of queues that have at most `runningMax` turns at once together. */
export function createTurnGroup(runningMax: number): TurnGroup {
  const queues: Queue[] = [];
  let running = 0;
  const admitWaiting = () => {
    for (const queue of queues) {
      for (let next = nextOf(queue); next !== undefined; next = nextOf(queue)) {
        if (running >= runningMax) return;
        if (!hasRoom(queue, next.weight)) break;
        queue.waiting.splice(queue.waiting.indexOf(next), 1);
        running += 1;
        change(queue, next, 1);
        next.admit();
      }
    }
  };
  const end = (queue: Queue, work: Work) => {
    running -= 1;
    change(queue, work, -1);
    admitWaiting();
  };
  return {
    addQueue(limits) {
      const queue: Queue = { limits, waiting: [], running: 0, weight: 0, groups: new Map() };
      queues.push(queue);
      return {
        get waiting() {
          return queue.waiting.length;
        },
        async take({ weight = 0, group = '', patienceMs } = {}) {
          await enter(queue, { weight, group, patienceMs }, admitWaiting);
          return () => end(queue, { weight, group });
        },
      };
    },
  };
}

interface Queue {
  readonly limits: TurnLimits;
  /** In the order of their turns. */
  readonly waiting: Place[];
  running: number;
  weight: number;
  /** Number of turns of each group that has any. */
  readonly groups: Map<string, number>;
}

interface Work {
  weight: number;
  group: string;
}

interface Place extends Work {
  /** The work of the lowest turn is next. */
  turn: number;
  admit: () => void;
}

/** Returns the work whose turn is next: the first one of a group that may have another turn. */
function nextOf({ limits, waiting, groups }: Queue): Place | undefined {
  const { groupRunningMax = Number.POSITIVE_INFINITY } = limits;
  return waiting.find(({ group }) => (groups.get(group) ?? 0) < groupRunningMax);
}

/** Counts work that begins (1) or ends (-1). */
function change(queue: Queue, { weight, group }: Work, by: 1 | -1): void {
  queue.running += by;
  queue.weight += by * weight;
  const count = (queue.groups.get(group) ?? 0) + by;
  if (count === 0) queue.groups.delete(group);
  else queue.groups.set(group, count);
}

function hasRoom({ limits, running, weight }: Queue, added: number): boolean {
  const { runningMax, weightMax = Number.POSITIVE_INFINITY } = limits;
  return running < runningMax && weight + added <= weightMax;
}

async function enter(
  { limits, waiting }: Queue,
  { weight, group, patienceMs }: { weight: number; group: string; patienceMs: number | undefined },
  admitWaiting: () => void,
): Promise<void> {
  const { waitingMax = Number.POSITIVE_INFINITY, tooBusy } = limits;
  const { groupWaitingMax = Number.POSITIVE_INFINITY } = limits;
  const { promise: admitted, resolve: admit, reject } = Promise.withResolvers<void>();
  const place = { weight, group, turn: nextTurn(waiting, group), admit };
  const behind = waiting.findIndex(({ turn }) => turn > place.turn);
  waiting.splice(behind === -1 ? waiting.length : behind, 0, place);
  admitWaiting();
  const groupWaiting = waiting.filter((other) => other.group === group).length;
  const isWaiting = waiting.includes(place);
  if (isWaiting && (waiting.length > waitingMax || groupWaiting > groupWaitingMax)) {
    waiting.splice(waiting.indexOf(place), 1);
    throw tooBusy();
  }
  const timer =
    patienceMs === undefined || !Number.isFinite(patienceMs)
      ? undefined
      : setTimeout(() => {
          waiting.splice(waiting.indexOf(place), 1);
          reject(tooBusy());
          // The next one may be lighter.
          admitWaiting();
        }, patienceMs);
  await admitted.finally(() => clearTimeout(timer));
}

/**
 * Returns the turn of new work of a group: the turn of the next work to run, or the one after the group's last turn. So
 * the first work of each group comes before the second work of any other.
 */
function nextTurn(waiting: readonly Place[], group: string): number {
  const next = waiting[0]?.turn ?? 0;
  const last = waiting.findLast((place) => place.group === group)?.turn;
  return last === undefined ? next : Math.max(next, last + 1);
}
