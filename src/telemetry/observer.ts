import type { ObserveCall } from '../blob/observed.ts';
import { DomainError } from '../domain/error.ts';
import { JOB_CLASSES } from '../domain/job/class.ts';
import type { Observer } from '../domain/observer.ts';
import type { Histogram } from './instrument.ts';
import type { Metrics } from './metrics.ts';
import type { Tracing } from './tracing.ts';

/** Creates the observer of the operations of a process. `tracing` null: no traces. */
export function createObserver(metrics: Metrics, tracing: Tracing | null): Observer {
  const within = createWithin(tracing);
  return {
    upload: (step, work) =>
      measured(metrics.uploads, [step], () => within(`upload ${step}`, {}, work)),
    bytesReceived: (sizeBytes) => metrics.receivedBytes.add(sizeBytes),
    render: (cause, work) =>
      measured(metrics.renditions, [cause], () => within('render', { cause }, work)),
    renditionSought: (isFound) => metrics.renditionLookups.add(1, isFound ? 'hit' : 'miss'),
    job({ uuid, jobClass }, work) {
      // The row may be of a class that a newer version has, or that somebody has written into it.
      const known = jobClass in JOB_CLASSES ? jobClass : 'unknown';
      const attributes = { 'trivium.job': uuid, 'trivium.job_class': known };
      const run = () =>
        tracing === null ? work() : tracing.job(`job ${known}`, uuid, attributes, work);
      return measured(metrics.jobs, [known], run, ({ kind }) => kind);
    },
    jobEnqueued: (uuid) => tracing?.noteJob(uuid),
    graphql({ type, name }, work) {
      metrics.graphqlOperations.add(1, type);
      if (tracing === null) return work();
      const shortName = name?.slice(0, NAME_LENGTH_MAX);
      const attributes = { 'graphql.operation.type': type };
      return within(shortName ? `${type} ${shortName}` : type, attributes, work);
    },
    subscription() {
      metrics.open.subscriptions++;
      return () => void metrics.open.subscriptions--;
    },
    refused: (limit) => metrics.refusals.add(1, limit),
  };
}

/** Clients choose the names of operations. */
const NAME_LENGTH_MAX = 100;

/** Returns the function that observes the calls of a store. `store`: `blobs` or `staging`. */
export function observeCalls(
  metrics: Metrics,
  tracing: Tracing | null,
  store: 'blobs' | 'staging',
): ObserveCall {
  const within = createWithin(tracing);
  return (call, work) =>
    measured(metrics.storage, [store, call], () => within(`${store} ${call}`, {}, work));
}

/** Returns the function that observes statements, with their milliseconds. */
export function observeStatements(
  metrics: Metrics,
  tracing: Tracing | null,
): (sql: string, ms: number) => void {
  return (sql, ms) => {
    const kind = kindOf(sql);
    metrics.statements.observe(ms / 1000, kind);
    if (tracing === null) return;
    tracing.record(kind, { 'db.query.text': sql.slice(0, SQL_LENGTH_MAX) }, ms);
  };
}

const SQL_LENGTH_MAX = 2000;

/** The kinds of statements, by their first three letters. */
const KINDS = new Map([
  ['sel', 'select'],
  ['ins', 'insert'],
  ['upd', 'update'],
  ['del', 'delete'],
  ['beg', 'begin'],
  ['com', 'commit'],
  ['rol', 'rollback'],
  ['wit', 'with'],
]);

function kindOf(sql: string): string {
  return KINDS.get(sql.trimStart().slice(0, 3).toLowerCase()) ?? 'other';
}

type Within = <T>(
  name: string,
  attributes: Record<string, string>,
  work: () => Promise<T>,
) => Promise<T>;

function createWithin(tracing: Tracing | null): Within {
  return tracing === null ? (_name, _attributes, work) => work() : tracing.within;
}

/** Runs work, and measures its duration by its outcome: `refused` if the caller or the state of a thing is the cause. */
async function measured<T>(
  histogram: Histogram,
  labels: readonly string[],
  work: () => Promise<T>,
  outcomeOf: (result: T) => string = () => 'ok',
): Promise<T> {
  const startedAt = performance.now();
  let outcome = 'failed';
  try {
    const result = await work();
    outcome = outcomeOf(result);
    return result;
  } catch (error) {
    if (error instanceof DomainError) outcome = 'refused';
    throw error;
  } finally {
    histogram.observe((performance.now() - startedAt) / 1000, ...labels, outcome);
  }
}
