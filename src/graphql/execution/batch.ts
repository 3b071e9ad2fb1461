import type { ArgumentValues } from './argument.ts';
import type { Pending } from './pending.ts';
import type { Place, Target } from './place.ts';
import type { Batch, BatchRequest, PlannedField } from './plan.ts';

/** A field of one object that waits for its value. */
interface Entry {
  field: PlannedField;
  source: unknown;
  target: Target;
  /** The place of the object. */
  parent: Place;
}

/** A field of many objects, with their places in the response, in the order of `sources`. */
interface Request extends BatchRequest {
  entries: readonly Entry[];
}

/** The values of each request. */
type Values = Awaited<ReturnType<Batch>>;

/** The run of an operation that the fields belong to. */
export interface BatchOwner {
  arguments: ArgumentValues;
  context: unknown;
  pending: Pending;
  /** Writes a value to its place in the response. */
  complete: (field: PlannedField, value: unknown, target: Target, parent: Place) => void;
  fail: (error: unknown, field: PlannedField, target: Target, parent: Place) => void;
}

/** Resolves a field for all objects of one level of the response at once. */
export class Batches {
  readonly #owner: BatchOwner;
  #waiting = new Map<PlannedField, Entry[]>();
  #isScheduled = false;

  constructor(owner: BatchOwner) {
    this.#owner = owner;
  }

  /** Makes a field wait for the other objects of its level. */
  add(field: PlannedField, source: unknown, target: Target, parent: Place): void {
    // Reserves its position among the other fields.
    target[field.name] = null;
    const entry = { field, source, target, parent };
    const entries = this.#waiting.get(field);
    if (entries === undefined) this.#waiting.set(field, [entry]);
    else entries.push(entry);
  }

  /** Starts the waiting fields. */
  start(): void {
    if (this.#waiting.size === 0) return;
    const waiting = this.#waiting;
    this.#waiting = new Map();
    const requests = [...waiting].flatMap(([field, entries]) => this.#toRequest(field, entries));
    for (const [batch, together] of Map.groupBy(requests, ({ field }) => field.batch)) {
      if (batch !== undefined) this.#run(batch, together);
    }
  }

  /**
   * Starts the waiting fields after all settled promises have been handled: the fields that these add belong to one
   * level.
   */
  startSoon(): void {
    if (this.#waiting.size === 0 || this.#isScheduled) return;
    this.#isScheduled = true;
    const release = this.#owner.pending.hold();
    process.nextTick(() => {
      this.#isScheduled = false;
      this.start();
      release();
    });
  }

  #toRequest(field: PlannedField, all: readonly Entry[]): Request[] {
    const entries = all.filter(({ parent }) => !parent.isLost());
    if (entries.length === 0) return [];
    try {
      const args = this.#owner.arguments.of(field);
      return [{ field, sources: entries.map(({ source }) => source), args, entries }];
    } catch (error) {
      this.#failAll(entries, error);
      return [];
    }
  }

  #run(batch: Batch, requests: readonly Request[]): void {
    const complete = (values: Values) => {
      for (const [index, { entries }] of requests.entries()) {
        for (const [at, { field, target, parent }] of entries.entries()) {
          this.#owner.complete(field, values[index]?.[at], target, parent);
        }
      }
    };
    const fail = (error: unknown) => {
      for (const { entries } of requests) this.#failAll(entries, error);
    };
    const promise = batch(requests, this.#owner.context);
    this.#owner.pending.add(promise, (values) => complete(values as Values), fail);
  }

  #failAll(entries: readonly Entry[], error: unknown): void {
    for (const { field, target, parent } of entries) {
      this.#owner.fail(error, field, target, parent);
    }
  }
}
