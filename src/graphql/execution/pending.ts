/** The promises that an operation waits for. */
export class Pending {
  #count = 0;
  #onNone: () => void = () => undefined;

  get isNone(): boolean {
    return this.#count === 0;
  }

  /** Calls one of the functions when the promise settles. Throws if the promise cannot be waited for. */
  add(
    promise: PromiseLike<unknown>,
    onValue: (value: unknown) => void,
    onError: (error: unknown) => void,
  ): void {
    this.#count++;
    try {
      // Turns any other thenable into a promise, and returns a promise as it is.
      Promise.resolve(promise).then(
        (value) => {
          onValue(value);
          this.#countDown();
        },
        (error: unknown) => {
          onError(error);
          this.#countDown();
        },
      );
    } catch (error) {
      // `then` of a promise can be replaced and may throw: without this, the operation would never finish.
      this.#count--;
      throw error;
    }
  }

  /** Resolves when all promises have settled, those added meanwhile included. At least one must be pending. */
  allSettled(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onNone = resolve;
    return promise;
  }

  #countDown(): void {
    this.#count--;
    if (this.#count === 0) this.#onNone();
  }
}
