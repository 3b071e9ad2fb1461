import type { Job, JobAttempt } from '../../domain/job/job.ts';
import { allowedSignals, phaseOf } from '../../domain/job/state.ts';
import { type ResourceObject, toResourceObject } from './document.ts';
import type { Fieldset } from './fieldset.ts';

/** Contract §1.4. */
export const JOB_TYPE = 'media:jobs';

/**
 * Contract §3.4, and of §7.2 what is asked for by name. `attempts`: the job's runs, the first first; `now`: in
 * milliseconds since 1970.
 */
export function toJobObject(
  job: Job,
  { attempts = [], now }: { attempts?: readonly JobAttempt[]; now: number },
  fieldset: Fieldset,
): ResourceObject {
  const shown = {
    job_class: job.jobClass,
    arguments: job.arguments,
    priority: job.priority,
    status: job.status,
    progress: job.progress,
    retry_count: job.retryCount,
    error: job.error,
    unicity: job.unicity,
    scheduled_at: job.scheduledAt.toISOString(),
    created_at: job.createdAt.toISOString(),
    updated_at: job.updatedAt.toISOString(),
  };
  const extra = {
    phase: phaseOf(job, now),
    max_retries: job.maxRetries,
    attempts: attempts.map(toAttempt),
    started_at: toTime(job.startedAt),
    finished_at: toTime(job.finishedAt),
    heartbeat_at: toTime(job.heartbeatAt),
    worker: job.worker,
    cancel_requested_at: toTime(job.cancelRequestedAt),
    cancel_reason: job.cancelReason,
    result: job.result,
    allowed_signals: allowedSignals(job.status),
  };
  return toResourceObject({ type: JOB_TYPE, id: job.uuid }, { shown, extra }, fieldset);
}

function toAttempt({ number, startedAt, finishedAt, worker, error }: JobAttempt) {
  return {
    number,
    started_at: startedAt.toISOString(),
    finished_at: toTime(finishedAt),
    worker,
    error,
  };
}

function toTime(date: Date | null): string | null {
  return date?.toISOString() ?? null;
}
