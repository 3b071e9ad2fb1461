import { z } from 'zod';
import { publicUrl } from '../input.ts';

/** What the domain knows of a class of jobs; how the work is done is its task's, in `job/task`. */
interface JobClassRule {
  /** Shape of the arguments as they are stored: names as on the Importer's wire, ids and never content. */
  arguments: z.ZodType;
  /** How many of them one process runs at once; absent: as many as it runs jobs. */
  concurrency?: number;
  /** How often a job is tried again after a failure. */
  maxRetries: number;
  /** Whether a client may make a job of this class; the others are the server's own. */
  isStartable: boolean;
}

const uuid = z.guid().toLowerCase();

/** Every class of jobs that this server runs: `verb-noun`, as its file in `job/task`. */
export const JOB_CLASSES = {
  'delete-blob': {
    arguments: z.strictObject({ blob_keys: z.array(z.string()).max(500) }),
    maxRetries: 10,
    isStartable: false,
  },
  'digest-file': {
    arguments: z.strictObject({ file_uuid: uuid }),
    concurrency: 1,
    maxRetries: 5,
    isStartable: false,
  },
  'expire-upload': {
    arguments: z.strictObject({}),
    concurrency: 1,
    maxRetries: 2,
    isStartable: false,
  },
  'fetch-link': {
    arguments: z.strictObject({ media_uuid: uuid }),
    maxRetries: 3,
    isStartable: false,
  },
  'import-url': {
    arguments: z.strictObject({
      url: publicUrl,
      filename: z.string().max(255).optional(),
      folder_uuid: uuid.optional(),
      tags: z.array(z.int().positive()).max(200).optional(),
    }),
    // Each may take an hour of another server's time: thumbnails must not wait for it.
    concurrency: 1,
    maxRetries: 5,
    isStartable: true,
  },
  'make-rendition': {
    arguments: z.strictObject({ file_uuid: uuid }),
    maxRetries: 3,
    isStartable: false,
  },
  sweep: { arguments: z.strictObject({}), concurrency: 1, maxRetries: 2, isStartable: false },
} as const satisfies Record<string, JobClassRule>;

/** Name of a class of jobs. */
export type JobClass = keyof typeof JOB_CLASSES;

/** What a job of that class is told, as its task gets it. */
export type JobArguments<C extends JobClass> = z.output<(typeof JOB_CLASSES)[C]['arguments']>;

/** The `unicity` of one of the server's own jobs; `of`: what it is about. */
export function serverUnicity(jobClass: JobClass, of: string): string {
  return `${jobClass}:${of}`;
}

/** Whether a `unicity` may be one of the server's own jobs: whoever takes it first would keep them from being made. */
export function isServerUnicity(unicity: string): boolean {
  const [jobClass] = unicity.split(':', 1);
  const isOfClass = ([name, { isStartable }]: [string, JobClassRule]) =>
    name === jobClass && !isStartable;
  return Object.entries(JOB_CLASSES).some(isOfClass);
}

/** How many jobs of a class one process may run at once. */
export function concurrencyOf(jobClass: JobClass): number {
  const rule: JobClassRule = JOB_CLASSES[jobClass];
  return rule.concurrency ?? Number.POSITIVE_INFINITY;
}
