import { expect, test } from 'vitest';
import type { TestApp } from '../support/app.ts';
import { describeEachBackend } from '../support/backend.ts';
import { graphql } from '../support/graphql.ts';
import { makeFolder, makeMediaRow } from '../support/make.ts';
import { bearer } from '../support/private-media.ts';
import { WITH_USERS } from '../support/request.ts';
import { shareApp } from '../support/shared-app.ts';

const toId = (type: string, id: number) => Buffer.from(`${type}:${id}`).toString('base64url');

interface Node {
  id: string;
  type: 'Folder' | 'Media';
  uuid: string;
}

/** Inserts a node into a folder. */
async function insert(app: TestApp, type: Node['type'], folder: number, owner: string | null) {
  const { db } = app.services;
  const place = { parent_id: folder, level: 2, path: `/1/${folder}/`, owner };
  const id = await (type === 'Folder' ? makeFolder : makeMediaRow)(db, place);
  return toNode(app, type, id);
}

async function toNode(app: TestApp, type: Node['type'], id: number): Promise<Node> {
  const rows = app.services.db.selectFrom('media').where('id', '=', id).select('uuid');
  const { uuid } = await rows.executeTakeFirstOrThrow();
  return { id: toId(type, id), type, uuid };
}

/** The mutations that the permissions are about. */
const MUTATIONS = {
  canEdit: ({ id, type }: Node) =>
    type === 'Media'
      ? ['updateMedia', { id, keywords: 'x' }]
      : ['updateFolder', { id, name: 'A folder' }],
  canMove: ({ id }: Node, target: string) => ['moveNodes', { ids: [id], parentId: target }],
  canDelete: ({ id }: Node) => ['deleteNodes', { ids: [id], recursive: true }],
} as const;

type Options = { authorization?: string };

async function ask(app: TestApp, { id }: Node, options: Options) {
  const query = `query ($id: ID!) { node(id: $id) { ... on TreeNode { permissions { canEdit canDelete canMove } } } }`;
  return (await graphql(app, query, { id }, options)).data.node?.permissions ?? null;
}

async function attempt(app: TestApp, node: Node, target: string, options: Options) {
  const found: Record<string, boolean> = {};
  for (const [permission, mutation] of Object.entries(MUTATIONS)) {
    const [field, input] = mutation(node, target) as [string, object];
    const type = `${field.charAt(0).toUpperCase()}${field.slice(1)}`;
    const query = `mutation ($input: ${type}Input!) { result: ${field}(input: $input) { __typename ... on Error { code message } } }`;
    const { data } = await graphql(app, query, { input }, options);
    const { __typename, code } = data.result;
    // Who is limited to the node does not see another folder.
    const refusals = [
      'ForbiddenError',
      'NotAuthenticatedError',
      ...(field === 'moveNodes' ? ['NotFoundError'] : []),
    ];
    expect([`${type}Success`, ...refusals]).toContain(__typename);
    found[permission] = code === undefined;
  }
  return found;
}

const VIEWERS: Record<string, { sub: string; role: string; within?: 'folder' | 'node' } | null> = {
  anonymous: null,
  reader: { sub: 'alice', role: 'reader' },
  owner: { sub: 'alice', role: 'editor' },
  'another editor': { sub: 'bob', role: 'editor' },
  admin: { sub: 'carol', role: 'admin' },
  'owner below a start node': { sub: 'alice', role: 'editor', within: 'folder' },
  'owner of a start node': { sub: 'alice', role: 'editor', within: 'node' },
  'admin below a start node': { sub: 'carol', role: 'admin', within: 'folder' },
  'admin of a start node': { sub: 'carol', role: 'admin', within: 'node' },
};

/** What each viewer may do to a node of alice. */
const EXPECTED: Record<string, string> = {
  anonymous: '',
  reader: '',
  owner: 'canDelete canEdit canMove',
  'another editor': '',
  admin: 'canDelete canEdit canMove',
  'owner below a start node': 'canDelete canEdit canMove',
  'owner of a start node': 'canEdit',
  'admin below a start node': 'canDelete canEdit canMove',
  'admin of a start node': 'canEdit',
};

describeEachBackend('permissions', (backend) => {
  const open = shareApp(backend, { ...WITH_USERS, TRIVIUM_AUTH: 'open' });
  const required = shareApp(backend, { ...WITH_USERS, TRIVIUM_AUTH: 'required' });

  test.each(Object.keys(VIEWERS))('of %s are what the mutations allow', async (name) => {
    for (const app of [open(), required()]) {
      const viewer = VIEWERS[name];
      const folder = await makeFolder(app.services.db);
      const target = await toNode(app, 'Folder', folder);
      for (const type of ['Media', 'Folder'] as const) {
        for (const owner of ['alice', null]) {
          const node = await insert(app, type, folder, owner);
          const limits = { folder: target.uuid, node: node.uuid };
          const { sub, role, within } = viewer ?? {};
          const claims = { role, ...(within && { start_nodes: [limits[within]] }) };
          const options = sub === undefined ? {} : await bearer(sub, claims);
          const told = await ask(app, node, options);
          if (told === null) {
            expect([name, app]).toEqual(['anonymous', required()]);
            continue;
          }
          const may = Object.keys(told).filter((permission) => told[permission]);
          const isOwners = owner === 'alice' || role === 'admin';
          expect(may.sort().join(' ')).toBe(isOwners ? EXPECTED[name] : '');
          expect(await attempt(app, node, target.id, options)).toEqual(told);
        }
      }
    }
  });

  test('in the trash, a node can only be deleted for ever, by its creator and by admins', async () => {
    const app = required();
    const folder = await makeFolder(app.services.db);
    for (const type of ['Media', 'Folder'] as const) {
      const node = await insert(app, type, folder, 'alice');
      await attempt(app, node, toId('Folder', folder), await bearer('alice'));
      const query = '{ trash { nodes { id permissions { canEdit canDelete canMove } } } }';
      const { data } = await graphql(app, query, {}, await bearer('alice'));
      expect(data.trash.nodes).toContainEqual({
        id: node.id,
        permissions: { canEdit: false, canDelete: true, canMove: false },
      });
      const purge = `mutation { deleteNodes(input: { ids: ["${node.id}"], permanently: true }) { __typename } }`;
      const { data: purged } = await graphql(app, purge, {}, await bearer('alice'));
      expect(purged.deleteNodes.__typename).toBe('DeleteNodesSuccess');
    }
  });
});
