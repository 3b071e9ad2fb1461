import { randomUUID } from 'node:crypto';
import type { NewJobRow } from '../../src/store/table.ts';

/** Returns the row of a pending job that is due at `now` and is not retried, changed by `columns`. */
export function toJobRow(now: number, columns: Partial<NewJobRow> = {}): NewJobRow {
  return {
    uuid: randomUUID(),
    job_class: 'sweep',
    arguments: '{}',
    status: 'pending',
    priority: 0,
    progress: 0,
    retry_count: 0,
    max_retries: 0,
    scheduled_at: now,
    created_at: now,
    updated_at: now,
    ...columns,
  };
}
