import { describe, test } from 'vitest';
import type { BlobEntry } from '../../src/blob/blob-store.ts';

/** Declares the test of one guarantee, whose work gets a subject of its own. */
export type GuaranteeOf<Subject> = (
  name: string,
  work: (subject: Subject) => Promise<void>,
) => void;

/** Describes what every implementation guarantees, part by part. `withSubject` lends each test a new subject. */
export function describeContract<Subject>(
  name: string,
  withSubject: (work: (subject: Subject) => Promise<void>) => Promise<void>,
  parts: Record<string, (guarantee: GuaranteeOf<Subject>) => void>,
): void {
  describe(name, () => {
    for (const [part, describePart] of Object.entries(parts)) {
      describe(part, () => describePart((name, work) => test(name, () => withSubject(work))));
    }
  });
}

/** Lists a store, and does `work` once after the first entry. Returns the number of entries. */
export async function countWhile(
  store: { list(): AsyncIterable<BlobEntry> },
  work: () => Promise<unknown>,
): Promise<number> {
  let listed = 0;
  for await (const _ of store.list()) {
    if (listed++ === 0) await work();
  }
  return listed;
}
