import { z } from 'zod';
import { type Context, transact } from '../context.ts';
import { InvalidInputError } from '../error.ts';
import { displayName, parseInput } from '../input.ts';
import { authorize } from '../viewer/access.ts';
import { recordAudit } from '../viewer/audit.ts';
import { isServerUnicity, JOB_CLASSES, type JobArguments, type JobClass } from './class.ts';
import { UnicityTakenError } from './conflict.ts';
import { enqueueJob } from './enqueue.ts';
import { asShown, findJob, type Job, jobTarget } from './job.ts';

/** When a job that a client starts runs, and beside which other ones: fields of an input. */
export const startOptions = {
  priority: z.int32().nullish(),
  unicity: displayName(255)
    .refine(
      (unicity) => !isServerUnicity(unicity),
      'May not begin with the name of one of the server’s own job classes.',
    )
    .nullish(),
  scheduledAt: z.date().nullish(),
};

const startInput = z.object({
  jobClass: z.string('Expected the name of a job class.'),
  arguments: z.record(z.string(), z.unknown()).nullish(),
  ...startOptions,
});

/** Input of `startJob`. */
export type StartJobInput = z.input<typeof startInput>;

/**
 * Starts a job of a class that clients may start; `checkArguments` throws if its arguments are not allowed. Throws
 * InvalidInputError, also for an unknown class and for arguments, with paths such as `arguments.url`;
 * UnicityTakenError if an unfinished job has the same `unicity`.
 */
export async function startJob(
  ctx: Context,
  input: StartJobInput,
  checkArguments: (ctx: Context, args: object) => Promise<void>,
): Promise<Job> {
  authorize(ctx, 'job.create');
  const { jobClass, priority, unicity, scheduledAt, ...rest } = parseInput(startInput, input);
  const name = parseClass(jobClass);
  const args = parseArguments(name, rest.arguments ?? {});
  await checkArguments(ctx, args);
  return transact(ctx, async (ctx) => {
    const { viewer } = ctx;
    const { job, isNew } = await enqueueJob(ctx, name, args, {
      ...(typeof priority === 'number' && { priority }),
      ...(unicity && { unicity }),
      ...(scheduledAt && { scheduledAt }),
      ...(viewer.kind !== 'anonymous' && { startedBy: viewer }),
    });
    if (!isNew) throw new UnicityTakenError(await findJob(ctx, { id: job.id }));
    await recordAudit(ctx, { action: 'start', target: jobTarget(job.id, name) });
    return asShown(ctx, job);
  });
}

function parseClass(name: string): JobClass {
  const startable = Object.entries(JOB_CLASSES).filter(([, { isStartable }]) => isStartable);
  const names = startable.map(([name]) => name);
  if (names.includes(name)) return name as JobClass;
  const message = `Expected a job class that clients can start: ${names.join(', ')}.`;
  throw InvalidInputError.of('jobClass', 'INVALID_CHOICE', message);
}

function parseArguments<C extends JobClass>(name: C, args: object): JobArguments<C> {
  const schema: z.ZodType = z.object({ arguments: JOB_CLASSES[name].arguments });
  const parsed = parseInput(schema, { arguments: args }) as { arguments: JobArguments<C> };
  return parsed.arguments;
}
