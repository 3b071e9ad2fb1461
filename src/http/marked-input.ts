import { MalformedBodyError } from './body.ts';

const END_MESSAGE = 'The body ends before its last boundary.';

/**
 * Bytes that are taken up to a mark, as they arrive. It holds what one read brought and as much as the
 * mark is long, never more, and reads only when it is asked: a slow taker holds the sender back.
 */
export class MarkedInput {
  readonly #source: AsyncIterator<Buffer>;
  #held: Buffer;

  /** `before` stands before the first byte of the source. */
  constructor(source: AsyncIterator<Buffer>, before: Buffer) {
    this.#source = source;
    this.#held = before;
  }

  /**
   * The next bytes before the mark, at least one; null when the mark comes next, which is then passed.
   * Throws MalformedBodyError when the source ends first, and what the source throws.
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

  /** Whether these bytes come next; they stay. Throws as `pull`. */
  async startsWith(bytes: Buffer): Promise<boolean> {
    while (this.#held.length < bytes.length) await this.#fill();
    return this.#held.subarray(0, bytes.length).equals(bytes);
  }

  /** Bytes before what may be the beginning of a mark. Mostly all: what stays is copied once more. */
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
