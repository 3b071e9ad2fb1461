import SchemaBuilder from '@pothos/core';
import ErrorsPlugin from '@pothos/plugin-errors';
import RelayPlugin from '@pothos/plugin-relay';
import type { Context } from '../domain/context.ts';
import { ForbiddenError, InvalidInputError, NotAuthenticatedError } from '../domain/error.ts';
import type { ToUrl } from '../http/transport.ts';
import type { SentFile } from './file-upload.ts';
import { RELAY_OPTIONS } from './relay.ts';

/** What a resolver works with, made for each request. */
export interface GraphqlContext {
  domain: Context;
  toUrl: ToUrl;
  /** Aborted when nobody reads the answer any more; for what goes on until then. */
  signal: () => AbortSignal;
  /** What has been made for this request, see `perRequest`. */
  made: Map<unknown, unknown>;
}

/** Defines no type of the schema; `schema.ts` gathers those that do. */
export const builder = new SchemaBuilder<{
  Context: GraphqlContext;
  DefaultFieldNullability: false;
  DefaultEdgesNullability: { list: false; items: false };
  DefaultNodeNullability: false;
  Scalars: {
    ID: { Input: string; Output: string | number };
    DateTime: { Input: Date; Output: Date };
    UUID: { Input: string; Output: string };
    URL: { Input: string; Output: string };
    BigInt: { Input: number; Output: number };
    JSON: { Input: unknown; Output: unknown };
    Upload: { Input: Promise<SentFile>; Output: never };
  };
  Connection: { totalCount: () => Promise<number> };
}>({
  plugins: [ErrorsPlugin, RelayPlugin],
  defaultFieldNullability: false,
  errors: {
    directResult: true,
    // Every mutation has input, and a viewer who may not be allowed.
    defaultTypes: [InvalidInputError, NotAuthenticatedError, ForbiddenError],
    defaultUnionOptions: {
      name: ({ fieldName }) => `${capitalize(fieldName)}Result`,
      description: 'Success, or what went wrong.',
    },
  },
  relay: RELAY_OPTIONS,
});

builder.queryType({ description: 'Everything that can be read.' });
builder.mutationType({
  description:
    'Everything that can be changed. What can go wrong is a member of the result: a type that implements `Error`.',
});
builder.globalConnectionField('totalCount', (t) =>
  t.int({
    description: 'How many nodes there are on all pages. Counted only when asked for.',
    resolve: (connection) => connection.totalCount(),
  }),
);

function capitalize(name: string): string {
  return name.slice(0, 1).toUpperCase() + name.slice(1);
}
