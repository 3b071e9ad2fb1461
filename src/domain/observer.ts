import type { LimitName } from './exceeded-limit.ts';

/** Observes operations, for metrics and traces. It never changes their results. */
export interface Observer {
  /** Runs a step of an upload, and measures it. */
  upload<T>(step: UploadStep, work: () => Promise<T>): Promise<T>;
  /** Counts bytes of uploads that have arrived. */
  bytesReceived(sizeBytes: number): void;
  /** Renders images, and measures it. `cause`: a request that waits, or a job. */
  render<T>(cause: 'request' | 'job', work: () => Promise<T>): Promise<T>;
  /** Counts a search for a stored rendition. */
  renditionSought(isFound: boolean): void;
  /** Runs a job, and measures it. */
  job<T extends { kind: string }>(job: ObservedJob, work: () => Promise<T>): Promise<T>;
  /** Notes that this operation has created a job, so that the trace of the job refers to it. */
  jobEnqueued(uuid: string): void;
  /** Runs a GraphQL operation. */
  graphql<T>(operation: ObservedOperation, work: () => Promise<T>): Promise<T>;
  /** Counts an open subscription. Returns the function that ends it. */
  subscription(): () => void;
  /** Counts a request that a limit has refused. */
  refused(limit: ObservedLimit): void;
}

/** A step of an upload: a first chunk, a later one, the completion, or a whole file in one request. */
export type UploadStep = 'open' | 'chunk' | 'complete' | 'file';

/** A job that runs. */
export interface ObservedJob {
  uuid: string;
  jobClass: string;
}

/** A GraphQL operation that runs. */
export interface ObservedOperation {
  /** `query`, `mutation` or `subscription`. */
  type: string;
  /** Null: the operation has no name. */
  name: string | null;
}

/** A limit that refuses requests: of a viewer or an address, or the free space of the disk. */
export type ObservedLimit = LimitName | 'logins' | 'free-space';

/** Observes nothing. */
export const UNOBSERVED: Observer = {
  upload: (_step, work) => work(),
  bytesReceived: () => undefined,
  render: (_cause, work) => work(),
  renditionSought: () => undefined,
  job: (_job, work) => work(),
  jobEnqueued: () => undefined,
  graphql: (_operation, work) => work(),
  subscription: () => () => undefined,
  refused: () => undefined,
};
