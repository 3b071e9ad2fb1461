import type { TestApp } from '../../../support/app.ts';
import { makeJob } from '../call.ts';

/** UUIDs of the jobs that `insertListedJobs` inserts. */
export const A = '00000000-0000-4000-8000-00000000000a';
export const B = '00000000-0000-4000-8000-00000000000b';
export const C = '00000000-0000-4000-8000-00000000000c';
export const D = '00000000-0000-4000-8000-00000000000d';
/** The jobs' names by their UUIDs. */
export const NAMES = new Map([
  [A, 'a'],
  [B, 'b'],
  [C, 'c'],
  [D, 'd'],
]);

/** Returns a time in January 2026. */
export const at = (day: number, hour = 0) => Date.UTC(2026, 0, day, hour);

/** Inserts four jobs that differ in every field that a list filters or orders by. */
export async function insertListedJobs(app: TestApp): Promise<void> {
  const times = { created_at: at(1), updated_at: at(1) };
  const job = (uuid: string, columns: object) => makeJob(app, { uuid, ...times, ...columns });
  await job(D, {
    priority: 5,
    status: 'running',
    progress: 0.25,
    scheduled_at: at(4),
    error: '',
  });
  await job(B, {
    priority: 5,
    status: 'pending',
    scheduled_at: at(2, 10),
    error: 'Boom: 100%_\\ A',
  });
  await job(C, {
    priority: 1,
    status: 'errored',
    scheduled_at: at(3),
    retry_count: 2,
    error: 'b,c',
  });
  await job(A, {
    priority: 3,
    status: 'completed',
    progress: 1,
    scheduled_at: at(1),
    unicity: 'É',
  });
}

/** Returns each query with the names that it lists, as rows of a table. */
export function queriesBy(table: Record<string, string[]>): [query: string, expected: string][] {
  return Object.entries(table).flatMap(([expected, queries]) =>
    queries.map((query): [string, string] => [query, expected]),
  );
}
