import { NotFoundError } from '../../../domain/error.ts';
import {
  countUsers,
  createUser,
  deleteUser,
  listUsers,
  type User,
  updateUser,
  usersByIds,
} from '../../../domain/viewer/user.ts';
import { builder } from '../../builder.ts';
import { toConnection } from '../../connection.ts';
import { expose, exposeNullable } from '../../expose.ts';
import { parseNodeId } from '../../id.ts';
import { nodeLoader, nodeOptions } from '../../loader.ts';
import { deletion, mutation } from '../../mutation.ts';
import { parseStartNodeIds, START_NODES, startNodeUuids } from './start-node.ts';
import { RoleEnum } from './viewer.ts';

const UserRef = builder.nodeRef('User', nodeOptions(nodeLoader(usersByIds)));

UserRef.implement({
  description: 'A user of this server, who signs in with a password.',
  fields: (t) => ({
    ...expose(t, 'String', {
      name: 'Name of the user, with which it signs in. It never changes.',
      viewerId: '`Viewer.id` of the requests of this user: the `owner` of media that it creates.',
    }),
    role: t.expose('role', { type: RoleEnum, description: 'Role of the user.' }),
    startNodeUuids: startNodeUuids(t),
    ...expose(t, 'Boolean', {
      isFromFile:
        'Whether the user is in the users’ file (`TRIVIUM_USERS_FILE`). Only the file can change it then.',
    }),
    ...exposeNullable(t, 'String', {
      createdBy:
        '`Viewer.id` of the viewer who created the user. Null if the operator of the server did.',
    }),
    ...expose(t, 'DateTime', {
      createdAt: 'Time at which the user was created.',
      updatedAt: 'Time of the last change.',
    }),
  }),
});

builder.queryField('users', (t) =>
  t.connection(
    {
      type: UserRef,
      description:
        'Lists the users of this server, by name. Requires the role `ADMIN`; an admin with start nodes sees only users that it has created.',
      resolve: async (_root, page, { domain }) =>
        toConnection<User>(await listUsers(domain, page), () => countUsers(domain)),
    },
    builder.connectionObject({ type: UserRef, name: 'UserConnection' }),
  ),
);

const PERMISSION =
  'Requires the role `ADMIN`; an admin with start nodes may call it only for users that it has created.';
const PASSWORD = 'Password, 8 to 1,024 characters.';

mutation('createUser', {
  description:
    'Creates a user. A user is never stronger than the viewer who creates it: not in its role or its start nodes. Requires the role `ADMIN`.',
  errors: [NotFoundError],
  input: (t) => ({
    name: t.string({
      required: true,
      description: 'Name, 1 to 100 characters. No two users may have the same name.',
    }),
    password: t.string({ required: true, description: PASSWORD }),
    role: t.field({ type: RoleEnum, description: 'Role of the user. Defaults to `EDITOR`.' }),
    startNodeIds: t.idList({ description: START_NODES }),
  }),
  success: { field: 'user', type: UserRef, description: 'The new user.' },
  resolve: (domain, { role, startNodeIds, ...input }) =>
    createUser(domain, {
      ...input,
      role: role ?? 'editor',
      startNodeIds: parseStartNodeIds(startNodeIds),
    }),
});

mutation('updateUser', {
  description: `Changes a user. Its sessions have the new role and start nodes at once; a new password ends them. With a lower role or other start nodes, the keys that it has created are revoked. ${PERMISSION}`,
  errors: [NotFoundError],
  inputNote: 'Omitted fields stay unchanged.',
  input: (t) => ({
    id: t.id({ required: true, description: 'Global id of the user.' }),
    password: t.string({ description: `${PASSWORD} Null leaves it unchanged.` }),
    role: t.field({ type: RoleEnum, description: 'Role. Null leaves it unchanged.' }),
    startNodeIds: t.idList({
      description:
        'Global ids of folders and media, 1 to 100. Null: the start nodes of the viewer, or no limit if it has none.',
    }),
  }),
  success: { field: 'user', type: UserRef, description: 'The changed user.' },
  resolve: (domain, { id, password, role, startNodeIds }) =>
    updateUser(domain, parseNodeId('User', id, 'id'), {
      password: password ?? undefined,
      role: role ?? undefined,
      startNodeIds: parseStartNodeIds(startNodeIds),
    }),
});

deletion('deleteUser', {
  description: `Deletes a user. Its sessions end at once, and the keys that it has created, or that were created with those, are revoked; its media stay. ${PERMISSION}`,
  type: 'User',
  noun: 'user',
  run: deleteUser,
});
