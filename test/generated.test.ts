import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import {
  buildSchema,
  type GraphQLInterfaceType,
  lexicographicSortSchema,
  printSchema,
} from 'graphql';
import { describe, expect, it } from 'vitest';
import { NODE_TYPES } from '../src/graphql/id.ts';
import { schema } from '../src/graphql/schema.ts';

describe('generated files', () => {
  it('every Node type has an id that the server accepts', () => {
    const types = schema.getPossibleTypes(schema.getType('Node') as GraphQLInterfaceType);
    expect(types.map(({ name }) => name).sort()).toEqual(NODE_TYPES);
  });

  it('schema.graphql matches the schema in the code', () => {
    const committed = buildSchema(readFileSync('schema.graphql', 'utf8'));
    const print = (one: typeof schema) => printSchema(lexicographicSortSchema(one));
    expect(print(committed)).toBe(print(schema));
  });

  it('the lock file contains no registry addresses', () => {
    expect(readFileSync('package-lock.json', 'utf8')).not.toContain('"resolved"');
  });

  it('the schema can be imported without an environment or a database', async () => {
    const run = promisify(execFile)(process.execPath, ['src/graphql/schema.ts'], { env: {} });
    expect((await run).stderr).not.toMatch(/error/i);
  });
});
