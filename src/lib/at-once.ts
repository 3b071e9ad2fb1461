/**
 * Runs `work` for each item, for at most `runningMax` items at a time. After a failure it takes no further item; it
 * rejects with the first error when the running ones have ended.
 */
export async function forEachAtOnce<Item>(
  items: AsyncIterable<Item> | Iterable<Item>,
  runningMax: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const running = new Set<Promise<void>>();
  const errors: unknown[] = [];
  for await (const item of items) {
    const run: Promise<void> = work(item)
      .catch((error) => void errors.push(error))
      .finally(() => running.delete(run));
    running.add(run);
    if (running.size >= runningMax) await Promise.race(running);
    if (errors.length > 0) break;
  }
  await Promise.all(running);
  if (errors.length > 0) throw errors[0];
}
