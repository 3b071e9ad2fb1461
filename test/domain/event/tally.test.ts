import { expect, it, vi } from 'vitest';
import { createTallyExchange, type TallyExchange } from '../../../src/domain/event/tally.ts';

/** Exchanges of workers. `isBroken` names those whose notices are lost, without their knowledge. */
function join(names: readonly string[]) {
  const broken = new Set<string>();
  const all = new Map<string, TallyExchange>();
  const add = (worker: string) => {
    const tell = async (text: string) => {
      for (const [name, other] of all) {
        if (name !== worker && !broken.has(worker)) expect(other.receive(text)).toBe(true);
      }
      return true;
    };
    const exchange = createTallyExchange(tell, { worker, delayMs: 1 });
    all.set(worker, exchange);
    return exchange.tallyOf('connections');
  };
  return { tallies: names.map(add), all, broken, add };
}

it('workers add up what each uses, also one that begins later', async () => {
  const { tallies, add } = join(['a', 'b']);
  const [a, b] = tallies;
  a?.change('x', 2);
  b?.change('x', 3);
  b?.change('y', 1);
  b?.change('x', -1);
  await vi.waitFor(() => expect([a?.get('x'), b?.get('x'), a?.get('y')]).toEqual([4, 4, 1]));
  const c = add('c');
  await vi.waitFor(() => expect([c.get('x'), c.get('y')]).toEqual([4, 1]));
  expect([a?.size, b?.size, c.size]).toEqual([1, 2, 0]);
});

it('what a worker used that has ended is free', async () => {
  const { tallies, all } = join(['a', 'b']);
  tallies[1]?.change('x', 3);
  await vi.waitFor(() => expect(tallies[0]?.get('x')).toBe(3));
  all.get('a')?.forget('b');
  expect(tallies[0]?.get('x')).toBe(0);
});

it('a lost notice is made good when everything is repeated', async () => {
  const { tallies, all, broken } = join(['a', 'b']);
  broken.add('b');
  tallies[1]?.change('x', 3);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(tallies[0]?.get('x')).toBe(0);
  broken.delete('b');
  all.get('b')?.repeat();
  await vi.waitFor(() => expect(tallies[0]?.get('x')).toBe(3));
});
