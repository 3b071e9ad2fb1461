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

/** What may carry a description. */
interface Described {
  name: string;
  description?: string | null | undefined;
}

const types = Object.values(schema.getTypeMap()).filter(isObjectType);
const connections = types.filter(({ name }) => name.endsWith('Connection'));

describe('the schema', () => {
  test('each kind of node has one connection, whatever field it is the list of', () => {
    expect(connections.map(({ name }) => name).sort()).toEqual(
      ['Folder', 'Job', 'Media', 'Tag', 'TreeNode'].map((node) => `${node}Connection`),
    );
    const nodes = connections.map((type) => [type.name, typeOf(type, 'nodes')]);
    expect(nodes).toEqual(
      connections.map(({ name }) => [name, `[${name.replace('Connection', '')}!]!`]),
    );
  });

  test.each([
    ['Query', 'medias', 'MediaConnection!'],
    ['Query', 'rootChildren', 'TreeNodeConnection!'],
    ['Query', 'rootFolders', 'FolderConnection!'],
    ['Query', 'tags', 'TagConnection!'],
    ['Query', 'jobs', 'JobConnection!'],
    ['Folder', 'children', 'TreeNodeConnection!'],
    ['Folder', 'folders', 'FolderConnection!'],
    ['Folder', 'medias', 'MediaConnection!'],
    ['Tag', 'medias', 'MediaConnection!'],
    ['Media', 'jobs', 'JobConnection!'],
  ])('%s.%s is a %s', (typeName, field, expected) => {
    expect(typeOf(schema.getType(typeName) as GraphQLObjectType, field)).toBe(expected);
  });

  test('the order of a list may be null', () => {
    const fields = types.flatMap((type) => Object.values(type.getFields()));
    const orders = fields.flatMap(({ args }) => args.filter(({ name }) => name === 'orderBy'));
    expect(orders.map(({ type }) => String(type)).filter((type) => type.endsWith('!'))).toEqual([]);
  });

  test('everything in it has a description', () => {
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

  test.each(Object.values(schema.getMutationType()?.getFields() ?? {}))(
    'the description of $name says which errors it can give',
    ({ description, type }) => {
      const result = getNamedType(type);
      const members = isUnionType(result) ? result.getTypes().map(({ name }) => name) : [];
      const errors = members.filter((name) => name.endsWith('Error'));
      expect(description?.match(/\b\w+Error\b/g)).toEqual(errors.sort());
    },
  );
});

function typeOf(type: GraphQLObjectType, field: string): string {
  return String(type.getFields()[field]?.type);
}
