import {
  type GraphQLObjectType,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  isSpecifiedScalarType,
  isUnionType,
} from 'graphql';
import { describe, expect, test } from 'vitest';
import { schema } from '../../src/graphql/schema.ts';

/** A part of the schema that has a description. */
interface Described {
  name: string;
  description?: string | null | undefined;
}

const types = Object.values(schema.getTypeMap()).filter(isObjectType);
const connections = types.filter(({ name }) => name.endsWith('Connection'));

describe('the schema', () => {
  test('all lists of a node type share one connection type', () => {
    expect(connections.map(({ name }) => name).sort()).toEqual(
      [
        'ApiKey',
        'AuditEntry',
        'FileVersion',
        'Folder',
        'Job',
        'Media',
        'Tag',
        'TreeNode',
        'UploadSession',
        'User',
      ].map((node) => `${node}Connection`),
    );
    const nodes = connections.map((type) => [type.name, typeOf(type, 'nodes')]);
    expect(nodes).toEqual(
      connections.map(({ name }) => [name, `[${name.replace('Connection', '')}!]!`]),
    );
  });

  const CONNECTIONS = {
    Query: {
      medias: 'MediaConnection!',
      rootChildren: 'TreeNodeConnection!',
      folders: 'FolderConnection!',
      rootFolders: 'FolderConnection!',
      tags: 'TagConnection!',
      jobs: 'JobConnection!',
      apiKeys: 'ApiKeyConnection!',
      users: 'UserConnection!',
      uploadSessions: 'UploadSessionConnection!',
      auditLog: 'AuditEntryConnection!',
    },
    Folder: {
      children: 'TreeNodeConnection!',
      folders: 'FolderConnection!',
      medias: 'MediaConnection!',
    },
    Tag: { medias: 'MediaConnection!' },
    Media: { jobs: 'JobConnection!', history: 'AuditEntryConnection!' },
  };

  describe.each(Object.entries(CONNECTIONS))('%s', (typeName, connections) => {
    test.each(Object.entries(connections))('%s is a %s', (field, expected) => {
      expect(typeOf(schema.getType(typeName) as GraphQLObjectType, field)).toBe(expected);
    });
  });

  test('the order of a list may be null', () => {
    const fields = types.flatMap((type) => Object.values(type.getFields()));
    const orders = fields.flatMap(({ args }) => args.filter(({ name }) => name === 'orderBy'));
    expect(orders.map(({ type }) => String(type)).filter((type) => type.endsWith('!'))).toEqual([]);
  });

  test('every type, field, argument and value has a description', () => {
    const own = Object.values(schema.getTypeMap()).filter(
      (type) => !isSpecifiedScalarType(type) && !type.name.startsWith('__'),
    );
    const described = own.flatMap((type): Described[] => {
      if (isEnumType(type)) return [type, ...type.getValues()];
      if (isInputObjectType(type)) return [type, ...Object.values(type.getFields())];
      if (!isObjectType(type) && !isInterfaceType(type)) return [type];
      const fields = Object.values(type.getFields());
      return [type, ...fields, ...fields.flatMap(({ args }) => args)];
    });
    expect(described.filter(({ description }) => !description).map(({ name }) => name)).toEqual([]);
  });

  const COMMON = 'ForbiddenError, InvalidInputError, NotAuthenticatedError';
  const UPLOAD = `DigestMismatchError, ${COMMON}, NotFoundError`;
  const STORE =
    'DigestMismatchError, ForbiddenError, InsufficientStorageError, InvalidInputError, NotAuthenticatedError, NotFoundError';

  test.each([
    ['abortUpload', `${COMMON}, NotFoundError, UploadCompletedError`],
    [
      'completeUpload',
      `ConflictError, ${UPLOAD}, OffsetMismatchError, TooLargeError, UnsupportedMediaError, UploadCompletedError, UploadExpiredError`,
    ],
    ['changePassword', `${COMMON}, TooManyRequestsError`],
    [
      'copyMedia',
      `${COMMON.replace(', Invalid', ', InsufficientStorageError, Invalid')}, NotFoundError, QuotaExceededError`,
    ],
    ['createApiKey', `${COMMON}, NotFoundError`],
    ['createArchiveUrl', `${COMMON}, NotFoundError`],
    ['createFolder', `${COMMON}, NotFoundError, QuotaExceededError`],
    ['createMedia', `${COMMON}, NotFoundError, QuotaExceededError`],
    ['createTag', COMMON],
    ['createUser', `${COMMON}, NotFoundError`],
    ['deleteFolder', `ConflictError, ${COMMON}, NotFoundError`],
    ['deleteJob', `${COMMON}, NotFoundError`],
    ['deleteMedia', `${COMMON}, NotFoundError`],
    ['deleteNodes', `ConflictError, ${COMMON}, NotFoundError`],
    ['deleteWhere', `${COMMON}, NotFoundError`],
    ['emptyTrash', COMMON],
    ['restoreNodes', `ConflictError, ${COMMON}, NotFoundError`],
    ['deleteTag', `${COMMON}, NotFoundError`],
    ['deleteUser', `${COMMON}, NotFoundError`],
    ['importUrl', `ConflictError, ${COMMON}, NotFoundError`],
    ['moveNodes', `FolderCycleError, ${COMMON}, NotFoundError`],
    ['placeNodes', `FolderCycleError, ${COMMON}, NotFoundError`],
    ['replaceFile', `${STORE}, QuotaExceededError, TooLargeError, UnsupportedMediaError`],
    ['restoreVersion', `${COMMON}, NotFoundError`],
    ['revokeApiKey', `${COMMON}, NotFoundError`],
    ['signIn', `${COMMON}, TooManyRequestsError`],
    ['signOut', COMMON],
    ['signalJob', `ConflictError, ${COMMON}, NotFoundError`],
    ['tagMedia', `${COMMON}, NotFoundError`],
    ['tagWhere', `${COMMON}, NotFoundError`],
    ['updateWhere', `${COMMON}, NotFoundError`],
    ['updateFolder', `${COMMON}, NotFoundError`],
    ['updateMedia', `${COMMON}, NotFoundError`],
    ['updateMedias', `${COMMON}, NotFoundError`],
    ['updateTag', `${COMMON}, NotFoundError`],
    ['updateUser', `${COMMON}, NotFoundError`],
    [
      'uploadChunk',
      `${STORE}, OffsetMismatchError, QuotaExceededError, TooLargeError, TooManyRequestsError, UploadCompletedError, UploadExpiredError`,
    ],
    [
      'uploadFile',
      `ConflictError, ${STORE}, QuotaExceededError, TooLargeError, UnsupportedMediaError`,
    ],
  ])('%s can return, and its description lists: %s', (name, errors) => {
    const mutation = schema.getMutationType()?.getFields()[name];
    const listed = mutation?.description?.split(' Errors: ')[1]?.replaceAll('`', '');
    expect(listed).toBe(`${errors}.`);
    const result = mutation && getNamedType(mutation.type);
    const members = isUnionType(result) ? result.getTypes().map((member) => member.name) : [];
    const success = `${name.charAt(0).toUpperCase()}${name.slice(1)}Success`;
    expect(members.sort()).toEqual([...errors.split(', '), success].sort());
  });

  test('every mutation is in the list above', () => {
    expect(Object.keys(schema.getMutationType()?.getFields() ?? {})).toHaveLength(38);
  });

  // Each value is its name in lower case, whatever the order of the domain's lists.
  test.each([
    ['JobStatus', 6],
    ['JobPhase', 9],
    ['JobSignal', 8],
    ['JobOrderField', 4],
    ['MediaOrderField', 9],
    ['MediaChangeKind', 4],
    ['Role', 3],
    ['ViewerKind', 3],
  ])('the values of %s are bound to their own names', (name, count) => {
    const type = schema.getType(name);
    const values = isEnumType(type) ? type.getValues() : [];
    expect(values).toHaveLength(count);
    expect(values.map(({ value }) => value)).toEqual(values.map(({ name }) => name.toLowerCase()));
  });

  test.each(['ApiKey', 'File', 'FileVersion', 'Folder', 'Job', 'Media', 'Tag', 'User'])(
    'the id of a %s resolves without a promise',
    (name) => {
      const { id } = (schema.getType(name) as GraphQLObjectType).getFields();
      const resolve = id?.resolve as (node: object) => unknown;
      expect(resolve({ id: 7 })).toBe(Buffer.from(`${name}:7`).toString('base64url'));
    },
  );
});

function typeOf(type: GraphQLObjectType, field: string): string {
  return String(type.getFields()[field]?.type);
}
