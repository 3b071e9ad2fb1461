import { UsageError } from '../../cli/failure.ts';
import type { DatabasePlace, MovePlan } from '../../domain/relocation/begin.ts';
import type { CommandSetting } from '../command-setting.ts';
import type { Config } from '../config.ts';
import { type OpenStorage, openStorage } from './storage.ts';

/** The databases of a move, and the URLs of its storages. */
export interface MoveUrls {
  from: { database: DatabasePlace; storage: string };
  /** Null: it stays where it is. */
  to: { database: DatabasePlace | null; storage: string | null };
}

/** A plan whose storages are open. */
export interface OpenPlan {
  plan: MovePlan;
  close(): Promise<void>;
}

/** Opens the storages and the staging areas of a move. Throws UsageError, ConfigError or StartError. */
export async function openPlaces(
  urls: MoveUrls,
  config: Config,
  env: CommandSetting['env'],
): Promise<OpenPlan> {
  const opened: { close(): Promise<void> }[] = [];
  const keep = <T extends { close(): Promise<void> }>(place: T): T => {
    opened.unshift(place);
    return place;
  };
  const close = async () => {
    for (const place of opened) await place.close();
  };
  const open = async (url: string) => keep(await openStorage(url, config, env));
  try {
    return { plan: await planOf(urls, { open, keep }), close };
  } catch (error) {
    await close();
    throw error;
  }
}

interface Opening {
  open: (url: string) => Promise<OpenStorage>;
  /** Closes what was opened at the end. */
  keep: <T extends { close(): Promise<void> }>(place: T) => T;
}

async function planOf({ from, to }: MoveUrls, { open, keep }: Opening): Promise<MovePlan> {
  const databases = { from: from.database, to: to.database ?? from.database };
  const places = {
    from: { database: from.database, storage: null },
    to: { database: to.database, storage: null },
  };
  if (to.storage === null && !isOtherStaging(from.storage, databases))
    return { ...places, staging: null };
  const source = await open(from.storage);
  const target = to.storage === null ? source : await open(to.storage);
  if (to.storage !== null && source.name === target.name)
    throw new UsageError('--from-storage and --to-storage name the same storage');
  const staging = {
    from: keep(await source.openStaging(databases.from.url)),
    to: keep(await target.openStaging(databases.to.url)),
  };
  const isOneDirectory = staging.from.name === staging.to.name && staging.to.staging.isLocal;
  const moved = isOneDirectory ? null : staging;
  if (to.storage === null) return { ...places, staging: moved };
  return {
    from: { ...places.from, storage: source },
    to: { ...places.to, storage: target },
    staging: moved,
  };
}

/** Tells whether the staged bytes of a storage that stays are elsewhere after a move to another database system. */
function isOtherStaging(
  storageUrl: string,
  { from, to }: Record<'from' | 'to', DatabasePlace>,
): boolean {
  const isSqlite = ({ url }: DatabasePlace) => url.startsWith('sqlite:');
  return storageUrl.startsWith('s3:') && isSqlite(from) !== isSqlite(to);
}
