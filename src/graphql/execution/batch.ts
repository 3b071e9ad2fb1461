import type { ArgumentValues } from './argument.ts';
import type { Batch, BatchRequest, PlannedField } from './plan.ts';

/** A request that waits for the other requests of its level. */
interface Waiting {
  request: BatchRequest;
  batch: Batch;
  resolve: (values: readonly unknown[]) => void;
  reject: (error: unknown) => void;
}

/** Resolves fields for all objects of one level of the response at once. */
export class Batches {
  readonly #arguments: ArgumentValues;
  readonly #context: unknown;
  #waiting: Waiting[] = [];

  constructor(args: ArgumentValues, context: unknown) {
    this.#arguments = args;
    this.#context = context;
  }

  /** Returns the values of a field for these objects, as its batch does. */
  async load(
    field: PlannedField,
    batch: Batch,
    sources: readonly unknown[],
  ): Promise<readonly unknown[]> {
    const request = { field, sources, args: this.#arguments.of(field) };
    // When all settled promises have been handled: the fields that are added until then belong to one level.
    if (this.#waiting.length === 0) process.nextTick(() => this.#start());
    return new Promise((resolve, reject) => {
      this.#waiting.push({ request, batch, resolve, reject });
    });
  }

  #start(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const [batch, together] of Map.groupBy(waiting, ({ batch }) => batch)) {
      void this.#run(batch, together);
    }
  }

  async #run(batch: Batch, together: readonly Waiting[]): Promise<void> {
    try {
      const requests = together.map(({ request }) => request);
      const values = await batch(requests, this.#context);
      for (const [index, { resolve }] of together.entries()) resolve(values[index] ?? []);
    } catch (error) {
      for (const { reject } of together) reject(error);
    }
  }
}
