import { updateSelected } from '../../../domain/bulk/update-where.ts';
import { whereTask } from './where.ts';

/** Changes the same fields of all media that match a filter. */
export const updateWhere = whereTask<'update-where'>(updateSelected);
