import { deleteSelected } from '../../../domain/bulk/delete-where.ts';
import { whereTask } from './where.ts';

/** Moves all media that match a filter into the trash. */
export const deleteWhere = whereTask<'delete-where'>(deleteSelected);
