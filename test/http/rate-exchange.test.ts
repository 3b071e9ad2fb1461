import { describe, expect, it } from 'vitest';
import { createRateExchange, type RateExchange } from '../../src/http/rate-exchange.ts';

/** Exchanges of several processes whose notices reach all of them, sent one at a time. */
function join(count: number) {
  const notices: string[] = [];
  const processes: RateExchange[] = [];
  const tell = async (text: string) => {
    notices.push(text);
    await Promise.resolve();
    for (const process of processes) expect(process.receive(text)).toBe(true);
  };
  for (let index = 0; index < count; index += 1) processes.push(createRateExchange(tell));
  return { processes, notices };
}

describe('processes', () => {
  it('learn what the others have counted, and not what they have counted themselves', async () => {
    const { processes, notices } = join(3);
    const learned = processes.map((process) => {
      const counts: Record<string, number> = {};
      process.onElsewhere((subject, count) => {
        counts[subject] = (counts[subject] ?? 0) + count;
      });
      return counts;
    });
    for (let index = 0; index < 500; index += 1) processes[0]?.count('viewer:ann');
    processes[1]?.count('viewer:bob');
    await new Promise((resolve) => setImmediate(resolve));
    expect(learned).toEqual([
      { 'viewer:bob': 1 },
      { 'viewer:ann': 500 },
      { 'viewer:ann': 500, 'viewer:bob': 1 },
    ]);
    // Counts add up while a notice is being sent.
    expect(notices.length).toBeLessThan(5);
    for (const notice of notices) expect(JSON.parse(notice).events).toEqual([]);
  });

  it('leave other notices alone', () => {
    const [process] = join(1).processes;
    expect(process?.receive('{"from":"a","events":[]}')).toBe(false);
  });
});
