import { createCounter, createHistogram, gauge, type Sample } from './instrument.ts';

/** What this process counts and measures while it works. */
export type Metrics = ReturnType<typeof createMetrics>;

/** The bounds of the durations of jobs, in seconds. */
const LONG_DURATIONS = [0.01, 0.05, 0.25, 1, 5, 30, 120, 600];

/** Creates the metrics of a process. The labels have few values: never a path, a name or an id. */
export function createMetrics() {
  const open = { requests: 0, subscriptions: 0 };
  const instruments = { ...createRequestMetrics(), ...createWorkMetrics() };
  return {
    ...instruments,
    open,
    read: (): Sample[] => [
      ...Object.values(instruments).map((instrument) => instrument.read()),
      gauge({ name: 'trivium_http_requests_in_flight', help: 'Requests in progress.' }, [
        { value: open.requests, labels: {} },
      ]),
      gauge({ name: 'trivium_subscriptions_open', help: 'Open subscriptions.' }, [
        { value: open.subscriptions, labels: {} },
      ]),
    ],
  };
}

function createRequestMetrics() {
  return {
    requests: createCounter({
      name: 'trivium_http_requests_total',
      help: 'Requests that have ended. Status "aborted": the client went before the response.',
      labels: ['dialect', 'method', 'status'],
    }),
    requestDuration: createHistogram({
      name: 'trivium_http_request_duration_seconds',
      help: 'Time from the arrival of a request until its response begins.',
      labels: ['dialect'],
    }),
    graphqlOperations: createCounter({
      name: 'trivium_graphql_operations_total',
      help: 'GraphQL operations that were executed.',
      labels: ['type'],
    }),
    refusals: createCounter({
      name: 'trivium_limit_refusals_total',
      help: 'Requests and connections that a rate limit, a quota or the free space has refused.',
      labels: ['limit'],
    }),
  };
}

function createWorkMetrics() {
  return {
    statements: createHistogram({
      name: 'trivium_db_statement_duration_seconds',
      help: 'Duration of the statements of the database, with their wait for a connection.',
      labels: ['kind'],
    }),
    storage: createHistogram({
      name: 'trivium_storage_call_duration_seconds',
      help: 'Duration of the calls of the storage; of a read, until its bytes can be read.',
      labels: ['store', 'call', 'outcome'],
    }),
    uploads: createHistogram({
      name: 'trivium_upload_step_duration_seconds',
      help: 'Duration of the steps of uploads: open (a session), chunk, complete, file (in one request).',
      labels: ['step', 'outcome'],
    }),
    receivedBytes: createCounter({
      name: 'trivium_upload_received_bytes_total',
      help: 'Bytes of uploads that have arrived.',
    }),
    renditions: createHistogram({
      name: 'trivium_rendition_duration_seconds',
      help: 'Duration of rendering images, for a request that waits or for a job.',
      labels: ['cause', 'outcome'],
    }),
    renditionLookups: createCounter({
      name: 'trivium_rendition_lookups_total',
      help: 'Searches for a stored rendition. A miss is rendered.',
      labels: ['result'],
    }),
    jobs: createHistogram(
      {
        name: 'trivium_job_duration_seconds',
        help: 'Duration of the runs of jobs that have ended.',
        labels: ['class', 'outcome'],
      },
      LONG_DURATIONS,
    ),
  };
}
