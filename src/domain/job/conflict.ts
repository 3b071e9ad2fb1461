import { ConflictError } from '../error.ts';
import { allowedSignals, type JobSignal, type JobStatus } from './state.ts';

/** The job's state does not allow the signal. */
export class IllegalSignalError extends ConflictError {
  /** The state that the job is in. */
  readonly status: JobStatus;
  /** The signals that this state allows. */
  readonly allowedSignals: readonly JobSignal[];

  constructor(signal: JobSignal, status: JobStatus) {
    const allowed = allowedSignals(status);
    const others = allowed.length > 0 ? allowed.join(', ') : 'none';
    super(
      'ILLEGAL_SIGNAL',
      `A job that is ${status} does not accept the signal ${signal}; accepted: ${others}.`,
    );
    this.status = status;
    this.allowedSignals = allowed;
  }
}

/** An unfinished job has the same `unicity`. */
export class UnicityTakenError extends ConflictError {
  /** The uuid of that job; null if the viewer may not see the job. */
  readonly holder: string | null;

  constructor(holder: { uuid: string } | null) {
    const job = holder === null ? 'Another job' : `The job ${holder.uuid}`;
    super('ALREADY_EXISTS', `${job} has the same unicity and is not finished.`);
    this.holder = holder?.uuid ?? null;
  }
}
