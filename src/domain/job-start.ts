import { z } from 'zod';
import { authorize } from './access.ts';
import { type Context, transact } from './context.ts';
import { enqueueJob } from './enqueue.ts';
import { InvalidInputError, NotFoundError } from './error.ts';
import { findFolder } from './folder.ts';
import { displayName, parseInput } from './input.ts';
import { findJob, type Job, unicityTaken } from './job.ts';
import { isServerUnicity, JOB_CLASSES, type JobArguments, type JobClass } from './job-class.ts';
import { checkTags } from './tag.ts';

const startInput = z.object({
  jobClass: z.string('Expected the name of a class of jobs.'),
  arguments: z.record(z.string(), z.unknown()).nullish(),
  priority: z.int32().nullish(),
  unicity: displayName(255)
    .refine((unicity) => !isServerUnicity(unicity), 'Begins as those of the server’s own jobs do.')
    .nullish(),
  scheduledAt: z.date().nullish(),
});

/** Input of `startJob`. */
export type StartJobInput = z.input<typeof startInput>;

/**
 * Has a job of a class done that may be started from outside. Throws InvalidInputError: also for a class
 * that there is not, and for its arguments, as `arguments.url`, also for a folder that the viewer does not
 * see; ConflictError ALREADY_EXISTS for a `unicity` that another job has which is not over.
 */
export async function startJob(ctx: Context, input: StartJobInput): Promise<Job> {
  authorize(ctx, 'job.create');
  const { jobClass, priority, unicity, scheduledAt, ...rest } = parseInput(startInput, input);
  const name = parseClass(jobClass);
  const args = parseArguments(name, rest.arguments ?? {});
  await checkTarget(ctx, args);
  return transact(ctx, async (ctx) => {
    const { viewer } = ctx;
    const { id, isNew } = await enqueueJob(ctx, name, args, {
      ...(typeof priority === 'number' && { priority }),
      ...(unicity && { unicity }),
      ...(scheduledAt && { scheduledAt }),
      ...(viewer.kind !== 'anonymous' && { startedBy: viewer }),
    });
    const job = await findJob(ctx, { id });
    if (job === null) throw new Error('The job that was just made is not there.');
    if (!isNew) throw unicityTaken(job);
    return job;
  });
}

/** What is to be a media must have a place to go to. */
async function checkTarget(ctx: Context, args: object): Promise<void> {
  await checkFolder(ctx, args);
  if (!('tags' in args) || !Array.isArray(args.tags)) return;
  await checkTags(ctx, args.tags).catch((error) => {
    if (!(error instanceof NotFoundError)) throw error;
    const path = ['arguments', 'tags'];
    throw new InvalidInputError([{ path, code: 'NOT_FOUND', message: error.message }]);
  });
}

/** Its run knows who started it, and nothing of what the start nodes of a credential were by then. */
async function checkFolder(ctx: Context, args: object): Promise<void> {
  if (!('folder_uuid' in args) || typeof args.folder_uuid !== 'string') return;
  if ((await findFolder(ctx, { uuid: args.folder_uuid })) !== null) return;
  const message = `There is no folder "${args.folder_uuid}".`;
  const path = ['arguments', 'folder_uuid'];
  throw new InvalidInputError([{ path, code: 'NOT_FOUND', message }]);
}

function parseClass(name: string): JobClass {
  const startable = Object.entries(JOB_CLASSES).filter(([, { isStartable }]) => isStartable);
  const names = startable.map(([name]) => name);
  if (names.includes(name)) return name as JobClass;
  const message = `Expected a class that can be started: ${names.join(', ')}.`;
  throw InvalidInputError.of('jobClass', 'INVALID_CHOICE', message);
}

function parseArguments<C extends JobClass>(name: C, args: object): JobArguments<C> {
  const schema: z.ZodType = z.object({ arguments: JOB_CLASSES[name].arguments });
  const parsed = parseInput(schema, { arguments: args }) as { arguments: JobArguments<C> };
  return parsed.arguments;
}
