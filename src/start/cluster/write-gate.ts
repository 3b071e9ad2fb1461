import type { WriteGate } from '../../store/sqlite/writer.ts';

/** What a gate tells the primary process. */
export type GateRequest = { type: 'want-write' } | { type: 'end-write' };

/** What the primary process tells a gate. `write-wanted`: another worker waits for the turn that this one has. */
export type GateAnswer = { type: 'write' } | { type: 'write-wanted' };

/** The gate of one worker. */
export interface WorkerGate extends WriteGate {
  receive(answer: GateAnswer): void;
}

/**
 * Creates the gate of a worker. SQLite has one writer, and lets those who wait try again until one is lucky: so workers
 * take turns. A worker keeps its turn until another one wants it, so that a worker that writes alone asks only once.
 */
export function createWorkerGate(send: (request: GateRequest) => void): WorkerGate {
  let hasTurn = false;
  let isInside = false;
  let isWanted = false;
  let asking: PromiseWithResolvers<void> | undefined;

  function giveUp(): void {
    hasTurn = false;
    isWanted = false;
    send({ type: 'end-write' });
  }

  return {
    async enter(patienceMs) {
      if (!hasTurn) {
        if (asking === undefined) send({ type: 'want-write' });
        asking ??= Promise.withResolvers();
        await within(asking.promise, patienceMs);
      }
      isInside = true;
    },
    leave() {
      isInside = false;
      if (hasTurn && isWanted) giveUp();
    },
    receive({ type }) {
      if (type === 'write') {
        hasTurn = true;
        asking?.resolve();
        asking = undefined;
      } else if (hasTurn) {
        isWanted = true;
        if (!isInside) giveUp();
      }
    },
  };
}

/** Waits for a promise, but no longer than this. */
async function within(promise: Promise<void>, patienceMs: number): Promise<void> {
  if (!Number.isFinite(patienceMs)) return promise;
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(late.resolve, patienceMs);
  await Promise.race([promise, late.promise]).finally(() => clearTimeout(timer));
}

/** The turns of all workers, by their names. */
export interface WriteTurns {
  receive(from: string, request: GateRequest): void;
  /** Gives the turn of a worker that has ended to the next one. */
  leave(name: string): void;
}

/** Creates the turns, which nobody has. */
export function createWriteTurns(send: (to: string, answer: GateAnswer) => void): WriteTurns {
  let holder: string | undefined;
  const waiting = new Set<string>();

  function giveNext(): void {
    [holder] = waiting;
    if (holder === undefined) return;
    waiting.delete(holder);
    send(holder, { type: 'write' });
    if (waiting.size > 0) send(holder, { type: 'write-wanted' });
  }

  return {
    receive(from, { type }) {
      if (type === 'want-write') {
        waiting.add(from);
        if (holder === undefined) giveNext();
        else if (waiting.size === 1) send(holder, { type: 'write-wanted' });
      } else if (holder === from) {
        giveNext();
      }
    },
    leave(name) {
      waiting.delete(name);
      if (holder === name) giveNext();
    },
  };
}
