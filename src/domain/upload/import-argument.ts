import type { JobArguments } from '../job/class.ts';
import type { NewMediaFields } from './new-media.ts';

type Arguments = JobArguments<'import-url'>;

/** The fields of a media item that an import takes as they are, with their names among the arguments of its job. */
const ARGUMENTS = {
  visibility: 'visibility',
  name: 'name',
  sortOrder: 'sort_order',
  title: 'title',
  description: 'description',
  keywords: 'keywords',
  altText: 'alt_text',
  caption: 'caption',
  credit: 'credit',
  metadata: 'metadata',
  focalPoint: 'focal_point',
  crops: 'crops',
  resource: 'resource',
  key: 'key',
} as const satisfies Partial<Record<keyof NewMediaFields, keyof Arguments>>;

const NAMES = Object.entries(ARGUMENTS) as [keyof typeof ARGUMENTS, keyof Arguments][];

/** Returns the arguments of a job for the fields that have a value. */
export function toArguments(fields: NewMediaFields): Partial<Arguments> {
  const given = NAMES.filter(([field]) => fields[field] !== null && fields[field] !== undefined);
  return Object.fromEntries(given.map(([field, name]) => [name, fields[field]]));
}

/** Returns the fields that the arguments of a job give. */
export function toFields(args: Partial<Arguments>): NewMediaFields {
  return Object.fromEntries(NAMES.map(([field, name]) => [field, args[name]]));
}

/** Returns the name of the argument for a field. */
export function argumentOf(field: string | number | undefined): string {
  return NAMES.find(([name]) => name === field)?.[1] ?? String(field);
}
