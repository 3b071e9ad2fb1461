import { Command, InvalidArgumentError } from 'commander';
import { CommandError } from '../../cli/failure.ts';
import type { ApiKey } from '../../domain/viewer/key.ts';
import {
  type AccessFlags,
  allPages,
  asServer,
  type CommandSetting,
  type Flags,
  printList,
  readConfig,
  withAccess,
  withPlaces,
} from '../command-setting.ts';
import type { Config } from '../config.ts';
import { requireDatabase } from '../require-library.ts';

type CreateFlags = Flags & AccessFlags & { expiresDays?: number; json?: boolean };

/** Creates the command `trivium key`, which works on the database, whether a server runs or not. */
export function keyCommand({ env, attempt }: CommandSetting): Command {
  const key = new Command('key').description('manage API keys');

  const create = key
    .command('create <name>')
    .description('create an API key in the database and print it; it cannot be shown again')
    .option('--expires-days <days>', 'days until the key expires; default: never', parseDays)
    .option('--json', 'print the key and its properties as JSON instead');
  withPlaces(withAccess(create, 'key')).action((name: string, flags: CreateFlags) =>
    attempt(() => createKey(readConfig(env, create, flags), name, flags)),
  );

  const list = key
    .command('list')
    .description('list the API keys that have not been revoked')
    .option('--json', 'print a line of JSON for each key instead');
  withPlaces(list).action((flags: Flags & { json?: boolean }) =>
    attempt(() => listKeys(readConfig(env, list, flags), flags)),
  );

  const revoke = key
    .command('revoke <key>')
    .description(
      'revoke an API key, at once and for ever; name it by its number or name, or give the key itself',
    );
  withPlaces(revoke).action((text: string, flags: Flags) =>
    attempt(() => revokeKey(readConfig(env, revoke, flags), text)),
  );
  return key;
}

function parseDays(text: string): number {
  const days = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && days > 0 && days <= 36_500) return days;
  throw new InvalidArgumentError('Expected a number of days above 0.');
}

async function createKey(config: Config, name: string, flags: CreateFlags): Promise<void> {
  const { role, startNode, expiresDays, json } = flags;
  const { createApiKey } = await import('../../domain/viewer/key.ts');
  await asServer(config, async (ctx) => {
    const expiresAt =
      expiresDays === undefined ? null : new Date(ctx.clock() + expiresDays * 86_400_000);
    const input = { name, role, expiresAt, startNodes: startNode };
    const { apiKey, key } = await createApiKey(ctx, input);
    console.log(json ? JSON.stringify({ ...apiKey, key }) : key);
  });
}

async function listKeys(config: Config, flags: { json?: boolean }): Promise<void> {
  await requireDatabase(config);
  const { listApiKeys } = await import('../../domain/viewer/key.ts');
  const keys = await asServer(config, (ctx) => allPages((args) => listApiKeys(ctx, args)));
  printList(keys, COLUMNS, flags);
}

const COLUMNS = {
  ID: ({ id }: ApiKey) => String(id),
  NAME: ({ name }: ApiKey) => name,
  ROLE: ({ role }: ApiKey) => role,
  'START NODES': ({ startNodes }: ApiKey) => startNodes?.join(' ') ?? 'all',
  CREATED: ({ createdAt }: ApiKey) => createdAt.toISOString(),
  EXPIRES: ({ expiresAt }: ApiKey) => expiresAt?.toISOString() ?? 'never',
  'LAST USED': ({ lastUsedAt }: ApiKey) => lastUsedAt?.toISOString() ?? 'never',
};

async function revokeKey(config: Config, text: string): Promise<void> {
  await requireDatabase(config);
  const { findApiKeys, revokeApiKey } = await import('../../domain/viewer/key.ts');
  await asServer(config, async (ctx) => {
    const [found, ...others] = await findApiKeys(ctx, text);
    if (found === undefined) throw new CommandError('there is no such key, or it is revoked');
    if (others.length > 0) {
      const ids = [found, ...others].map(({ id }) => id).join(', ');
      throw new CommandError(`several keys have this name: revoke them by number (${ids})`);
    }
    await revokeApiKey(ctx, found.id);
    console.log(`revoked key ${found.id}, ${found.name}`);
  });
}
