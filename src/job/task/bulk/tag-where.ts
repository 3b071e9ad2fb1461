import { tagSelected } from '../../../domain/bulk/tag-where.ts';
import { whereTask } from './where.ts';

/** Adds tags to all media that match a filter, and removes others. */
export const tagWhere = whereTask<'tag-where'>(tagSelected);
