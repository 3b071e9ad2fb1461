import type { Sample } from '../../telemetry/instrument.ts';
import type { GateAnswer, GateRequest } from './write-gate.ts';

/** What a worker knows from its start. */
export interface Duty {
  /** Its name, which no other worker has, also not an earlier one. */
  name: string;
  /** Whether it is the first worker of this server: it also does what is done once at a start. */
  isFirst: boolean;
  /** The address to listen at, with a port that is not 0. */
  port: number;
  /** Secret of the sign-in link, and when it expires, in milliseconds since 1970. */
  link: { secret: string; expiresAt: number };
}

/** A message from the primary process to a worker. */
export type ToWorker =
  /** The answer to `join`. */
  | { type: 'begin'; duty: Duty }
  /** A notice of another worker. */
  | { type: 'notice'; text: string }
  /** Notices of others have been lost. `ended`: the name of a worker that has ended, perhaps before it sent them. */
  | { type: 'gap'; ended?: string }
  /** From now on, this worker runs the jobs. `lost`: the names of those that did, and have ended. */
  | { type: 'run-jobs'; lost: readonly string[] }
  /** The answer to `take-link`. */
  | { type: 'link'; isTaken: boolean }
  | GateAnswer
  | MetricsAnswer
  | { type: 'stop' };

/** A message from a worker to the primary process. */
export type FromWorker =
  /** The first message: it listens to this channel. */
  | { type: 'join' }
  /** It accepts requests. */
  | { type: 'ready'; url: string; signInPath: string | null }
  /** A notice for the other workers. */
  | { type: 'notice'; text: string }
  /** Asks for the right to use the sign-in link, which one request gets. */
  | { type: 'take-link' }
  /** Gives that right back: the link could not be used. */
  | { type: 'return-link' }
  | GateRequest
  | MetricsMessage;

/** What a worker tells of metrics. */
export type MetricsMessage =
  /** Asks for the metrics of all processes of the server, because a client does. */
  | { type: 'want-metrics' }
  /** The answer to `read-metrics`. */
  | { type: 'metrics'; samples: Sample[] };

/** What the primary process tells of metrics. */
export type MetricsAnswer =
  /** Asks for the metrics of this worker. `hasQueue`: also those of the queue, which only one has to read. */
  | { type: 'read-metrics'; hasQueue: boolean }
  /** The answer to `want-metrics`, in the format of Prometheus; null: it has failed. */
  | { type: 'group-metrics'; text: string | null };
