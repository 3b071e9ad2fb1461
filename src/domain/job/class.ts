import { z } from 'zod';
import { VISIBILITIES } from '../../store/scope.ts';
import { attributes } from '../attribute.ts';
import { publicUrl } from '../input.ts';

/** The rules of a job class. The work itself is done by a task in `job/task`. */
interface JobClassRule {
  /** Schema of the stored arguments: named as on the Importer's wire, with ids and never content. */
  arguments: z.ZodType;
  /**
   * Maximum number of jobs of this class that one process runs at once; absent: limited only by its jobs of all
   * classes.
   */
  concurrency?: number;
  /**
   * Whether its jobs wait for another server. Such jobs have slots of their own, one for each client and class, so that
   * a slow server delays neither other jobs nor other clients.
   */
  isRemote?: true;
  /** Whether a process of low priority does its work: then its jobs leave the processor to requests without resting. */
  isLowPriority?: true;
  /** Maximum number of retries of a failed job. */
  maxRetries: number;
  /** Whether a client may start a job of this class; only the server starts the others. */
  isStartable: boolean;
}

const uuid = z.guid().toLowerCase();

/** The rules of work in bites, which goes on until all of it is done. */
const ONE_AT_A_TIME = { concurrency: 1, maxRetries: 10, isStartable: false } as const;

/** The media that a job changes: those that match a filter and existed when it was started. */
const selected = {
  /** A `MediaFilter` of the domain, as `toStoredFilter` returns it. */
  filter: z.record(z.string(), z.unknown()),
  /** The last media item that existed. */
  up_to: z.int(),
  /** Their number at that time. */
  count: z.int(),
  /** Only the media of this viewer; absent: an admin has started the job. */
  owner: z.string().optional(),
  /** The start nodes of a viewer of another issuer, who has no row here. */
  start_node_ids: z.array(z.int().positive()).optional(),
};

/** The job classes, named `verb-noun`. */
export const JOB_CLASSES = {
  'create-avif': {
    // The rendition, as the path of its URL names it.
    arguments: z.strictObject({
      file_uuid: uuid,
      version: z.string().max(20),
      parameters: z.string().max(1000),
    }),
    concurrency: 1,
    isLowPriority: true,
    maxRetries: 3,
    isStartable: false,
  },
  'delete-blob': {
    arguments: z.strictObject({ blob_keys: z.array(z.string()).max(500) }),
    maxRetries: 10,
    isStartable: false,
  },
  'delete-subtree': {
    arguments: z.strictObject({ folder_uuid: uuid }),
    ...ONE_AT_A_TIME,
  },
  'delete-tag': {
    arguments: z.strictObject({ tag_id: z.int().positive() }),
    ...ONE_AT_A_TIME,
  },
  'delete-where': { arguments: z.strictObject(selected), ...ONE_AT_A_TIME },
  'digest-file': {
    arguments: z.strictObject({ file_uuid: uuid }),
    concurrency: 1,
    maxRetries: 5,
    isStartable: false,
  },
  'draw-preview': {
    arguments: z.strictObject({ file_uuid: uuid }),
    // One file is drawn at a time.
    concurrency: 1,
    isLowPriority: true,
    maxRetries: 3,
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
    concurrency: 3,
    isRemote: true,
    maxRetries: 3,
    isStartable: false,
  },
  'import-url': {
    arguments: z.strictObject({
      url: publicUrl,
      filename: z.string().max(255).optional(),
      folder_uuid: uuid.optional(),
      tags: z.array(z.int().positive()).max(200).optional(),
      visibility: z.enum(VISIBILITIES).optional(),
      name: attributes.name.optional(),
      sort_order: attributes.sortOrder.optional(),
      title: attributes.title.optional(),
      description: attributes.description.optional(),
      keywords: attributes.keywords.optional(),
      alt_text: attributes.altText.optional(),
      caption: attributes.caption.optional(),
      credit: attributes.credit.optional(),
      metadata: attributes.metadata.optional(),
      focal_point: attributes.focalPoint.optional(),
      crops: attributes.crops.optional(),
      resource: attributes.resource.optional(),
      key: attributes.key.optional(),
    }),
    // Each may take an hour.
    concurrency: 2,
    isRemote: true,
    maxRetries: 5,
    isStartable: true,
  },
  'index-tag': {
    arguments: z.strictObject({ tag_id: z.int().positive() }),
    ...ONE_AT_A_TIME,
  },
  'move-subtree': { arguments: z.strictObject({}), ...ONE_AT_A_TIME },
  // Creates a thumbnail, which is a file and not a rendition. The name is stored in jobs and known to clients of the
  // Importer dialect, so it stays.
  'make-rendition': {
    arguments: z.strictObject({ file_uuid: uuid }),
    isLowPriority: true,
    maxRetries: 3,
    isStartable: false,
  },
  'purge-subtree': { arguments: z.strictObject({ work_id: z.int().positive() }), ...ONE_AT_A_TIME },
  'purge-trash': {
    // Without arguments: what has been in the trash for `TRIVIUM_TRASH_DAYS`.
    arguments: z.strictObject({
      deleted_before: z.int().optional(),
      owner: z.string().optional(),
      start_node_ids: z.array(z.int().positive()).optional(),
      unfiled_of: z.string().optional(),
    }),
    ...ONE_AT_A_TIME,
  },
  'restore-subtree': {
    arguments: z.strictObject({ work_id: z.int().positive() }),
    ...ONE_AT_A_TIME,
  },
  'read-details': {
    arguments: z.strictObject({ file_uuid: uuid, is_again: z.boolean().optional() }),
    concurrency: 1,
    isLowPriority: true,
    maxRetries: 3,
    isStartable: false,
  },
  'rehash-file': {
    arguments: z.strictObject({}),
    concurrency: 1,
    maxRetries: 2,
    isStartable: false,
  },
  sweep: { arguments: z.strictObject({}), concurrency: 1, maxRetries: 2, isStartable: false },
  'tag-where': {
    arguments: z.strictObject({
      ...selected,
      add_tag_ids: z.array(z.int().positive()),
      remove_tag_ids: z.array(z.int().positive()),
    }),
    ...ONE_AT_A_TIME,
  },
  'update-where': {
    // The fields as the client sent them.
    arguments: z.strictObject({ ...selected, change: z.record(z.string(), z.unknown()) }),
    ...ONE_AT_A_TIME,
  },
} as const satisfies Record<string, JobClassRule>;

/** The name of a job class. */
export type JobClass = keyof typeof JOB_CLASSES;

/** The arguments of a job of that class, as its task receives them. */
export type JobArguments<C extends JobClass> = z.output<(typeof JOB_CLASSES)[C]['arguments']>;

/** Returns the `unicity` of a job that the server starts. `subject`: distinguishes its jobs of one class. */
export function serverUnicity(jobClass: JobClass, subject: string): string {
  return `${jobClass}:${subject}`;
}

/** Returns whether a `unicity` is reserved for the server's own jobs: a client that used it would block them. */
export function isServerUnicity(unicity: string): boolean {
  const [jobClass] = unicity.split(':', 1);
  const isReserved = ([name, { isStartable }]: [string, JobClassRule]) =>
    name === jobClass && !isStartable;
  return Object.entries(JOB_CLASSES).some(isReserved);
}

/** Returns how many jobs of a class one process may run at once. */
export function concurrencyOf(jobClass: JobClass): number {
  const rule: JobClassRule = JOB_CLASSES[jobClass];
  return rule.concurrency ?? Number.POSITIVE_INFINITY;
}

/** Returns whether a process of low priority does the work of the jobs of a class. */
export function isLowPriority(jobClass: JobClass): boolean {
  const rule: JobClassRule = JOB_CLASSES[jobClass];
  return rule.isLowPriority === true;
}

/** Returns whether the jobs of a class wait for another server. */
export function isRemote(jobClass: JobClass): boolean {
  const rule: JobClassRule = JOB_CLASSES[jobClass];
  return rule.isRemote === true;
}
