import type { Migration } from '../migrate.ts';
import { up as init } from './0001-init.ts';
import { up as mediaSearch } from './0002-media-search.ts';

/** In the order in which they run. A migration that has been released is never changed. */
export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '0001-init': { up: init },
  '0002-media-search': { up: mediaSearch },
};
