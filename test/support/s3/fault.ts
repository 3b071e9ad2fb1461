/** What a request asks for. */
export type S3Kind =
  | 'put'
  | 'get'
  | 'head'
  | 'delete'
  | 'delete-many'
  | 'list'
  | 'create-upload'
  | 'upload-part'
  | 'list-parts'
  | 'complete'
  | 'abort'
  | 'list-uploads'
  | 'bucket';

/**
 * A failure on order. `cut-…` resets the connection: before anything is read, within the body of the request or of the
 * response, or after the request has had its effect. `error-in-200` has no effect, and says so in the body of a 200.
 */
export type S3FaultWhat =
  | 'cut-before'
  | 'cut-within'
  | 'cut-after'
  | 'error-in-200'
  | { status: number; code: string }
  | { delayMs: number };

/** An order to fail. */
export interface S3Fault {
  what: S3FaultWhat;
  /** Which requests fail. (Default: all) */
  kind?: S3Kind;
  /** Only requests for objects whose name holds this text. */
  name?: string;
  /** How many of them. (Default: 1) */
  times?: number;
}

/** The failures that were ordered and have not happened yet. */
export interface S3Faults {
  /** Makes the next requests that match fail. */
  fail(fault: S3Fault): void;
  /** Takes the failure of this request. */
  take(kind: S3Kind, name: string): S3FaultWhat | null;
  /** Number of failures to come. */
  pending(): number;
}

export function createFaults(): S3Faults {
  const faults: (Required<Pick<S3Fault, 'what' | 'times'>> & S3Fault)[] = [];
  return {
    fail: (fault) => void faults.push({ times: 1, ...fault }),
    take(kind, name) {
      const fault = faults.find(
        (one) =>
          (one.kind === undefined || one.kind === kind) &&
          (one.name === undefined || name.includes(one.name)),
      );
      if (fault === undefined) return null;
      fault.times--;
      if (fault.times === 0) faults.splice(faults.indexOf(fault), 1);
      return fault.what;
    },
    pending: () => faults.reduce((sum, { times }) => sum + times, 0),
  };
}
