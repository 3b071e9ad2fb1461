import { MalformedBodyError } from './body.ts';

const END_MESSAGE = 'The body ends before its last boundary.';

/**
 * Bytes that are read up to a mark, as they arrive. Holds one read and as many bytes as the mark is
 * long, never more, and reads only on demand: a slow reader slows the sender down.
 */
export class MarkedInput {
  readonly #source: AsyncIterator<Buffer>;
  #held: Buffer;

  /** `before` precedes the first byte of the source. */
  constructor(source: AsyncIterator<Buffer>, before: Buffer) {
    this.#source = source;
    this.#held = before;
  }

  /**
   * Returns the next bytes before the mark, at least one, or null if the mark comes next, which it
   * then skips. Throws MalformedBodyError if the source ends first, and any error of the source.
   */
  async pull(mark: Buffer): Promise<Buffer | null> {
    for (;;) {
      const at = this.#held.indexOf(mark);
      if (at === 0) {
        this.#take(mark.length);
        return null;
      }
      const count = at === -1 ? this.#countBeforeStart(mark) : at;
      if (count > 0) return this.#take(count);
      await this.#fill();
    }
  }

  /** Returns whether these bytes come next, without taking them. Throws as `pull`. */
  async startsWith(bytes: Buffer): Promise<boolean> {
    while (this.#held.length < bytes.length) await this.#fill();
    return this.#held.subarray(0, bytes.length).equals(bytes);
  }

  /**
   * Returns the number of bytes before a possible beginning of the mark, usually all; the others are copied again for
   * the next search.
   */
  #countBeforeStart(mark: Buffer): number {
    const tail = Math.max(0, this.#held.length - mark.length + 1);
    const start = this.#held.indexOf(mark.subarray(0, 1), tail);
    return start === -1 ? this.#held.length : start;
  }

  #take(count: number): Buffer {
    const taken = this.#held.subarray(0, count);
    this.#held = this.#held.subarray(count);
    return taken;
  }

  async #fill(): Promise<void> {
    const next = await this.#source.next();
    if (next.done) throw new MalformedBodyError('multipart', END_MESSAGE);
    this.#held = this.#held.length === 0 ? next.value : Buffer.concat([this.#held, next.value]);
  }
}
