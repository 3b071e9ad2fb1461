import { NotFoundError } from '../../../domain/error.ts';
import {
  type ApiKey,
  apiKeysByIds,
  countApiKeys,
  createApiKey,
  listApiKeys,
  revokeApiKey,
} from '../../../domain/viewer/key.ts';
import { builder } from '../../builder.ts';
import { toConnection } from '../../connection.ts';
import { expose, exposeNullable } from '../../expose.ts';
import { parseNodeId } from '../../id.ts';
import { nodeLoader, nodeOptions } from '../../loader.ts';
import { inputArgs, mutation, mutationOf } from '../../mutation.ts';
import { parseStartNodeIds, START_NODES, startNodeUuids } from './start-node.ts';
import { RoleEnum } from './viewer.ts';

const ApiKeyRef = builder.nodeRef('ApiKey', nodeOptions(nodeLoader(apiKeysByIds)));

ApiKeyRef.implement({
  description: 'An API key, without the key itself, which only `createApiKey` returns.',
  fields: (t) => ({
    ...expose(t, 'String', {
      name: 'Name of the key, for people.',
      viewerId: '`Viewer.id` of requests with this key: the `owner` of media that they create.',
    }),
    role: t.expose('role', { type: RoleEnum, description: 'Role of requests with this key.' }),
    startNodeUuids: startNodeUuids(t),
    ...exposeNullable(t, 'String', {
      createdBy:
        '`Viewer.id` of the viewer who created the key. Null if the operator of the server did.',
    }),
    ...expose(t, 'DateTime', { createdAt: 'Time at which the key was created.' }),
    ...exposeNullable(t, 'DateTime', {
      expiresAt: 'Time from which the key is refused. Null if it does not expire.',
      lastUsedAt: 'Time of the last request with this key, to the minute. Null if there was none.',
      revokedAt: 'Time at which the key was revoked. Null if it was not.',
    }),
  }),
});

builder.queryField('apiKeys', (t) =>
  t.connection(
    {
      type: ApiKeyRef,
      description:
        'Lists the API keys that have not been revoked, newest first, including expired ones. Requires the role `ADMIN`; an admin with start nodes sees only keys that it has created.',
      resolve: async (_root, page, { domain }) =>
        toConnection<ApiKey>(await listApiKeys(domain, page), () => countApiKeys(domain)),
    },
    builder.connectionObject({ type: ApiKeyRef, name: 'ApiKeyConnection' }),
  ),
);

const PERMISSION = 'Requires the role `ADMIN`.';

mutationOf<Awaited<ReturnType<typeof createApiKey>>, ReturnType<typeof createArgs>>(
  'createApiKey',
  {
    description: `Creates an API key. A key is never stronger than the credential that creates it: not in its role, its start nodes or, if that is a key, its expiry. ${PERMISSION}`,
    errors: [NotFoundError],
    args: createArgs(),
    success: (t) => ({
      apiKey: t.expose('apiKey', { type: ApiKeyRef, description: 'The new key.' }),
      key: t.exposeString('key', {
        description: 'The key itself, `tvm_…`. It is shown only here, and cannot be read again.',
      }),
    }),
    resolve: ({ domain, setHeader }, { input: { role, startNodeIds, ...input } }) => {
      setHeader('cache-control', 'no-store');
      return createApiKey(domain, {
        ...input,
        role: role ?? 'editor',
        startNodeIds: parseStartNodeIds(startNodeIds),
      });
    },
  },
);

function createArgs() {
  return inputArgs('createApiKey', (t) => ({
    name: t.string({ required: true, description: 'Name for people, 1 to 100 characters.' }),
    role: t.field({ type: RoleEnum, description: 'Role of the key. Defaults to `EDITOR`.' }),
    startNodeIds: t.idList({ description: START_NODES }),
    expiresAt: t.field({
      type: 'DateTime',
      description: 'Time from which the key is refused. Omit it for a key that does not expire.',
    }),
  }));
}

mutation('revokeApiKey', {
  description: `Revokes an API key for ever. From then on, every process of the server refuses it, and its subscriptions end within seconds. ${PERMISSION}`,
  errors: [NotFoundError],
  input: (t) => ({ id: t.id({ required: true, description: 'Global id of the key.' }) }),
  success: { field: 'apiKey', type: ApiKeyRef, description: 'The revoked key.' },
  resolve: (domain, { id }) => revokeApiKey(domain, parseNodeId('ApiKey', id, 'id')),
});
