import SchemaBuilder from '@pothos/core';
import ErrorsPlugin from '@pothos/plugin-errors';
import RelayPlugin from '@pothos/plugin-relay';
import type { Context } from '../domain/context.ts';
import { ForbiddenError, InvalidInputError, NotAuthenticatedError } from '../domain/error.ts';
import type { ToUrl } from '../http/absolute-url.ts';
import { NODE_ID_PLUGIN } from './node-id.ts';
import { PRICED_AS_COUNT } from './price.ts';
import { RELAY_OPTIONS } from './relay.ts';
import type { SentFile } from './type/upload/sent-file.ts';

/** The context of a resolver, created for each request. */
export interface GraphqlContext {
  domain: Context;
  toUrl: ToUrl;
  /** Sets a header of the response. */
  setHeader: (name: string, value: string) => void;
  /** Aborted when the client stops reading the response; for work that lasts as long as the response. */
  signal: () => AbortSignal;
  /** Called with the error that a mutation returns. */
  onRefused: (error: unknown) => void;
  /** Values created once for this request; see `perRequest`. */
  made: Map<unknown, unknown>;
}

/** Errors that every mutation can return: every mutation has an input, and its viewer may lack permission. */
export const COMMON_ERRORS = [InvalidInputError, NotAuthenticatedError, ForbiddenError];

/** Builds the schema. This file defines no type of ours; `schema.ts` imports the files that do. */
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
  plugins: [ErrorsPlugin, RelayPlugin, NODE_ID_PLUGIN],
  defaultFieldNullability: false,
  errors: {
    directResult: true,
    defaultTypes: COMMON_ERRORS,
    defaultUnionOptions: {
      name: ({ fieldName }) => `${capitalize(fieldName)}Result`,
      description: 'Result of a mutation: its success type or one of its errors.',
    },
  },
  relay: RELAY_OPTIONS,
});

builder.queryType({ description: 'Operations that read data.' });
builder.mutationType({
  description:
    'Operations that change data. Every mutation returns a union of its success type and its errors. Each error type implements `Error`.',
});
builder.globalConnectionField('totalCount', (t) =>
  t.int({
    ...PRICED_AS_COUNT,
    description:
      'Number of entries in the whole list, across all pages. The server counts them only if this field is selected.',
    resolve: (connection) => connection.totalCount(),
  }),
);

function capitalize(name: string): string {
  return name.slice(0, 1).toUpperCase() + name.slice(1);
}
