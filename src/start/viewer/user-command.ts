import { Command } from 'commander';
import { CommandError } from '../../cli/failure.ts';
import { readPassword } from '../../cli/viewer/password.ts';
import type { Context } from '../../domain/context.ts';
import type { User } from '../../domain/viewer/user.ts';
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
import { addUser, removeUser, setPassword } from './user-file.ts';

type AddFlags = Flags & AccessFlags & { force?: boolean };

/** Creates the command `trivium user`, which works on the database and the users' file, whether a server runs or not. */
export function userCommand({ env, attempt }: CommandSetting): Command {
  const user = new Command('user').description('manage users who log in with a password');

  const add = user
    .command('add <name>')
    .description('add a user; asks for the password, or reads it from a pipe')
    .option('--force', 'replace the user if the name is taken; this ends its sessions');
  withPlaces(withAccess(add, 'user')).action((name: string, flags: AddFlags) =>
    attempt(() => addOne(readConfig(env, add, flags), name, flags)),
  );

  const list = user
    .command('list')
    .description('list the users')
    .option('--json', 'print a line of JSON for each user instead');
  withPlaces(list).action((flags: Flags & { json?: boolean }) =>
    attempt(() => listAll(readConfig(env, list, flags), flags)),
  );

  const named = (name: string, description: string, run: typeof removeOne) => {
    const command = user.command(`${name} <name>`).description(description);
    withPlaces(command).action((name: string, flags: Flags) =>
      attempt(() => run(readConfig(env, command, flags), name)),
    );
  };
  named('remove', 'remove a user; this ends its sessions at once, and keeps its media', removeOne);
  named(
    'passwd',
    'change the password of a user, which ends its sessions; asks for it, or reads it from a pipe',
    changePassword,
  );
  return user;
}

async function addOne(config: Config, name: string, { role, startNode, force }: AddFlags) {
  const { findStartNodes } = await import('../../domain/viewer/start-node.ts');
  await asUserManager(config, async (ctx) => {
    const startNodes = startNode && (await findStartNodes(ctx, startNode));
    const password = await readPassword();
    const { usersFile } = config;
    const added =
      usersFile === null
        ? await addToDatabase(ctx, { name, role, startNodes, password }, force ?? false)
        : await addToFile(usersFile, { name, role, startNodes, password }, force ?? false);
    console.log(`${added} may log in as ${role}`);
  });
}

type NewUser = Pick<AccessFlags, 'role'> & {
  name: string;
  startNodes: string[] | undefined;
  password: string;
};

async function addToDatabase(ctx: Context, user: NewUser, force: boolean): Promise<string> {
  const { createUser, findUserByName, updateUser } = await import('../../domain/viewer/user.ts');
  const known = force ? await findUserByName(ctx, user.name) : null;
  if (known === null) return (await createUser(ctx, user)).name;
  const { name: _, startNodes = null, ...change } = user;
  return (await updateUser(ctx, known.id, { ...change, startNodes })).name;
}

async function addToFile(path: string, user: NewUser, force: boolean): Promise<string> {
  const { createUserEntry } = await import('../../domain/viewer/user-entry.ts');
  const { startNodes, ...rest } = user;
  const entry = await createUserEntry({ ...rest, ...(startNodes && { start_nodes: startNodes }) });
  await addUser(path, entry, { replace: force });
  return entry.name;
}

async function listAll(config: Config, flags: { json?: boolean }): Promise<void> {
  await requireDatabase(config);
  const { listUsers } = await import('../../domain/viewer/user.ts');
  const users = await asUserManager(config, (ctx) => allPages((args) => listUsers(ctx, args)));
  printList(users, COLUMNS, flags);
}

const COLUMNS = {
  NAME: ({ name }: User) => name,
  ROLE: ({ role }: User) => role,
  'START NODES': ({ startNodes }: User) => startNodes?.join(' ') ?? 'all',
  CREATED: ({ createdAt }: User) => createdAt.toISOString(),
  KEPT: ({ isFromFile }: User) => (isFromFile ? 'in the users’ file' : 'in the database'),
};

async function removeOne(config: Config, name: string): Promise<void> {
  await requireDatabase(config);
  const { deleteUser } = await import('../../domain/viewer/user.ts');
  await asUserManager(config, async (ctx) => {
    const user = await findUser(ctx, name);
    let revokedKeys = 0;
    if (user.isFromFile && config.usersFile !== null) await removeUser(config.usersFile, user.name);
    else revokedKeys = await deleteUser(ctx, user.id);
    const keys = revokedKeys === 0 ? '' : `, and revoked ${revokedKeys} of its keys`;
    console.log(`removed ${user.name}${keys}`);
  });
}

async function changePassword(config: Config, name: string): Promise<void> {
  await requireDatabase(config);
  const { updateUser } = await import('../../domain/viewer/user.ts');
  const { parsePassword } = await import('../../domain/viewer/user-entry.ts');
  const { hashPassword } = await import('../../domain/viewer/password.ts');
  await asUserManager(config, async (ctx) => {
    const user = await findUser(ctx, name);
    const password = parsePassword('password', await readPassword());
    if (user.isFromFile && config.usersFile !== null) {
      await setPassword(config.usersFile, user.name, await hashPassword(password));
    } else await updateUser(ctx, user.id, { password });
    console.log(`changed the password of ${user.name}`);
  });
}

async function findUser(ctx: Context, name: string): Promise<User> {
  const { findUserByName } = await import('../../domain/viewer/user.ts');
  const user = await findUserByName(ctx, name);
  if (user === null) throw new CommandError(`there is no user "${name}"`);
  return user;
}

/** Runs `work` with the users as they are now; afterwards, makes the copies of the users' file equal to it. */
function asUserManager<T>(config: Config, work: (ctx: Context) => Promise<T>): Promise<T> {
  return asServer(config, async (ctx) => {
    await ctx.logins.refreshUsers();
    const result = await work(ctx);
    await ctx.logins.refreshUsers();
    return result;
  });
}
