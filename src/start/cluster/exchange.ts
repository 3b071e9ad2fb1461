import { createEvents, type Events } from '../../domain/event/event.ts';
import { createEventRelay, type EventRelay } from '../../domain/event/relay.ts';
import {
  createTallies,
  createTallyExchange,
  type TallyExchange,
  type TallyOf,
} from '../../domain/event/tally.ts';
import { createRateExchange, type RateExchange } from '../../http/rate-exchange.ts';
import { listenForNotices, type Notices } from '../../store/event/notice.ts';
import type { WriteGate } from '../../store/sqlite/writer.ts';
import type { Config } from '../config.ts';
import type { Member } from './member.ts';

/** What the processes of one database share beside the database. */
export interface Exchange {
  events: Events;
  /** The counts of requests; undefined if this process is alone. */
  rates: RateExchange | undefined;
  /** What the workers of one server use. The processes of other machines count their own. */
  tallyOf: TallyOf;
  /** Orders the writes of the workers to a SQLite database; undefined if one process writes. */
  writeGate?: WriteGate | undefined;
  /** Begins to receive. Calls `onJob` when another process may have changed a job. */
  start(onJob: () => void): void;
  stop(): Promise<void>;
}

/**
 * Creates the exchange of this process. The processes of a PostgreSQL database use its notices; the workers of a server
 * with a SQLite database, and all workers for what they count together, the channels of the primary process.
 */
export function createExchange(
  { databaseUrl, isShared }: Pick<Config, 'databaseUrl' | 'isShared'>,
  member: Member | undefined,
): Exchange {
  const tallies = member && createTallyExchange(member.tell, { worker: member.name });
  const tallyOf = tallies?.tallyOf ?? createTallies();
  if (!isShared) return { events: createEvents(), rates: undefined, tallyOf, ...IDLE };
  if (!databaseUrl.startsWith('sqlite:')) {
    listenToWorkers(member, tallies);
    return { ...exchangeByDatabase(databaseUrl), tallyOf };
  }
  return { ...exchangeByWorkers(member, tallies), tallyOf, writeGate: member?.writeGate };
}

const IDLE = { start: () => undefined, stop: async () => undefined };

function exchangeByDatabase(databaseUrl: string): Omit<Exchange, 'tallyOf'> {
  let notices: Notices | undefined;
  const tell = async (text: string) => (await notices?.tellEvents(text)) ?? false;
  const relay = createEventRelay(tell);
  const rates = createRateExchange(tell);
  const onEvents = (text: string) => {
    if (!rates.receive(text)) relay.receive(text);
  };
  return {
    events: relay.events,
    rates,
    start(onJob) {
      notices = listenForNotices(databaseUrl, { onJob, onEvents, onGap: relay.resume });
    },
    stop: async () => notices?.stop(),
  };
}

function exchangeByWorkers(
  member: Member | undefined,
  tallies: TallyExchange | undefined,
): Omit<Exchange, 'tallyOf'> {
  let wake: () => void = () => undefined;
  const tell = async (text: string) => member?.tell(text) ?? false;
  const relay = createEventRelay(tell, () => wake());
  const rates = createRateExchange(tell);
  listenToWorkers(member, tallies, { relay, rates });
  return {
    events: relay.events,
    rates,
    start(onJob) {
      wake = onJob;
    },
    stop: IDLE.stop,
  };
}

function listenToWorkers(
  member: Member | undefined,
  tallies: TallyExchange | undefined,
  others?: { relay: EventRelay; rates: RateExchange },
): void {
  member?.listen({
    onNotice(text) {
      if (tallies?.receive(text) || others?.rates.receive(text)) return;
      others?.relay.receive(text);
    },
    onGap(ended) {
      if (ended === undefined) tallies?.repeat();
      else tallies?.forget(ended);
      others?.relay.resume();
    },
  });
}
