import type { Db } from '../db.ts';
import { up as init } from './0001-init.ts';
import { up as mediaSearch } from './0002-media-search.ts';
import { up as job } from './0003-job.ts';
import { up as rendition } from './0004-rendition.ts';
import { up as importer } from './0005-importer.ts';
import { up as mediaTypeAlias } from './0006-media-type-alias.ts';

/** One step of the schema. Runs in a transaction, with SQL of its own time and no store function. */
export interface Migration {
  up(db: Db): Promise<void>;
}

/** All migrations in the order in which they run. A migration that has been released is never changed. */
export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '0001-init': { up: init },
  '0002-media-search': { up: mediaSearch },
  '0003-job': { up: job },
  '0004-rendition': { up: rendition },
  '0005-importer': { up: importer },
  '0006-media-type-alias': { up: mediaTypeAlias },
};
