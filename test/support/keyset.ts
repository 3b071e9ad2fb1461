import type { Keyset } from '../../src/store/cursor.ts';

/** Highest id first. */
export const NEWEST_FIRST: Keyset = {
  name: 'newest',
  columns: [{ name: 'id', type: 'number' }],
  descending: true,
};

/** By name, then by id. */
export const BY_NAME: Keyset = {
  name: 'by name',
  columns: [
    { name: 'name', type: 'string' },
    { name: 'id', type: 'number' },
  ],
  descending: false,
};
