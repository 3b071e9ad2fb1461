import { expect, it } from 'vitest';
import { createWorkerGate, createWriteTurns } from '../../../src/start/cluster/write-gate.ts';

/** Gates of workers, joined by messages that arrive later. */
function join(names: readonly string[]) {
  const sent: string[] = [];
  const gates = new Map(
    names.map((name) => [
      name,
      createWorkerGate((request) => {
        sent.push(`${name} ${request.type}`);
        queueMicrotask(() => turns.receive(name, request));
      }),
    ]),
  );
  const turns = createWriteTurns((to, answer) =>
    queueMicrotask(() => gates.get(to)?.receive(answer)),
  );
  return { gates: names.map((name) => gates.get(name)!), sent, turns };
}

it('one worker is inside at a time, and each gets its turn', async () => {
  const { gates } = join(['a', 'b', 'c']);
  let inside = 0;
  const counts = await Promise.all(
    gates.map(async (gate) => {
      let count = 0;
      for (; count < 50; count++) {
        await gate.enter(Number.POSITIVE_INFINITY);
        inside += 1;
        expect(inside).toBe(1);
        await Promise.resolve();
        inside -= 1;
        gate.leave();
      }
      return count;
    }),
  );
  expect(counts).toEqual([50, 50, 50]);
});

it('a worker that writes alone asks once', async () => {
  const { gates, sent } = join(['a', 'b']);
  for (let count = 0; count < 10; count++) {
    await gates[0]!.enter(Number.POSITIVE_INFINITY);
    gates[0]!.leave();
  }
  expect(sent).toEqual(['a want-write']);
});

it('a worker goes on after its patience, and gives up the turn that it gets later', async () => {
  const { gates, sent } = join(['a', 'b']);
  await gates[0]!.enter(Number.POSITIVE_INFINITY);
  await gates[1]!.enter(1);
  gates[1]!.leave();
  gates[0]!.leave();
  await gates[0]!.enter(Number.POSITIVE_INFINITY);
  expect(sent.filter((line) => line.startsWith('b'))).toEqual(['b want-write', 'b end-write']);
});

it('the turn of a worker that has ended goes to the next', async () => {
  const { gates, turns } = join(['a', 'b']);
  await gates[0]!.enter(Number.POSITIVE_INFINITY);
  const entered = gates[1]!.enter(Number.POSITIVE_INFINITY);
  turns.leave('a');
  await entered;
});
