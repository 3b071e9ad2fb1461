import { randomUUID } from 'node:crypto';

/** Exchanges counts of requests with the other processes of a database. */
export interface RateExchange {
  /** Counts one request of a subject. */
  count(subject: string): void;
  /** Receives a notice from any process. Returns false if it contains no counts. */
  receive(text: string): boolean;
  /** Calls `add` for the counts of the other processes. */
  onElsewhere(add: (subject: string, count: number) => void): void;
}

/** Maximum number of subjects in one notice: each takes about 60 bytes, and PostgreSQL allows 8,000. */
const SUBJECTS_MAX = 100;

const BEGIN = '{"rates":';

/**
 * Creates an exchange over the notices of the database. While a notice is being sent, counts add up for the next one:
 * so notices are never sent faster than the database accepts them.
 */
export function createRateExchange(tell: (text: string) => Promise<unknown>): RateExchange {
  const rates = randomUUID();
  const waiting = new Map<string, number>();
  let isTelling = false;
  let addElsewhere: (subject: string, count: number) => void = () => undefined;

  async function tellAll(): Promise<void> {
    if (isTelling) return;
    isTelling = true;
    while (waiting.size > 0) {
      const counts = [...waiting].slice(0, SUBJECTS_MAX);
      for (const [subject] of counts) waiting.delete(subject);
      // `events` is for processes of an earlier version, which expect it.
      await tell(JSON.stringify({ rates, counts, events: [] }));
    }
    isTelling = false;
  }

  return {
    count(subject) {
      waiting.set(subject, (waiting.get(subject) ?? 0) + 1);
      void tellAll();
    },
    receive(text) {
      if (!text.startsWith(BEGIN)) return false;
      const notice = JSON.parse(text) as { rates: string; counts: [string, number][] };
      if (notice.rates === rates) return true;
      for (const [subject, count] of notice.counts) addElsewhere(subject, count);
      return true;
    },
    onElsewhere(add) {
      addElsewhere = add;
    },
  };
}
