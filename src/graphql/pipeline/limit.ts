import { GraphQLError } from 'graphql';

/** What an operation may be at most; each limit is the answer to another way of asking for too much. */
export const LIMITS = {
  /** Bounds what the cache of documents holds. GraphiQL's introspection, longer than most, has 2,100. */
  characters: 50_000,
  /** Bounds parsing and validation, whose worst is 0.2 s for these. GraphiQL's introspection has 184. */
  tokens: 2_000,
  /** Parser, rules and coercion call themselves for each bracket: some hundreds are the end of the stack. */
  nesting: 50,
  /** A tab of GraphiQL holds several, of which one runs. */
  operations: 10,
  /** Seven connections in each other by `nodes`, or four by `edges` and `node`, and what is in the last. */
  depth: 15,
  /** One field over and over: some for a screen of lists, none for a guess at every id. */
  aliases: 30,
  /** Each is checked against all at its place. Clients write a few of `@include` and `@skip`. */
  directives: 20,
  /** Fields of the answer, see `cost.ts`. All of 200 media and of what belongs to them is 90,000. */
  cost: 200_000,
} as const;

type Limited = keyof typeof LIMITS;

const REFUSALS: Record<Limited, { code: string; of: string; advice: string }> = {
  characters: {
    code: 'DOCUMENT_TOO_LONG',
    of: 'characters',
    advice: 'Send values as variables.',
  },
  tokens: {
    code: 'TOO_MANY_TOKENS',
    of: 'tokens',
    advice: 'Send values as variables, or split the document.',
  },
  nesting: {
    code: 'OPERATION_TOO_DEEP',
    of: 'levels of nested brackets',
    advice: 'Send values as variables, or split the operation.',
  },
  operations: {
    code: 'TOO_MANY_OPERATIONS',
    of: 'operations in a document',
    advice: 'Send each operation in a request of its own.',
  },
  depth: {
    code: 'OPERATION_TOO_DEEP',
    of: 'levels of nested fields, including those in fragments',
    advice: 'Fetch the deeper fields in a second operation, by id.',
  },
  aliases: {
    code: 'TOO_MANY_ALIASES',
    of: 'aliases, counted again for each use of a fragment',
    advice: 'Split the operation, or ask for `nodes(ids:)`.',
  },
  directives: {
    code: 'TOO_MANY_DIRECTIVES',
    of: 'directives in a document',
    advice: 'Split the operation.',
  },
  cost: {
    code: 'OPERATION_TOO_COSTLY',
    of: 'fields in the result if every page is full',
    advice: 'Ask for smaller pages with `first`, or for fewer fields.',
  },
};

/** An operation that is not run, with HTTP 400. */
export class RefusedOperationError extends GraphQLError {
  constructor(message: string, code: string, more: Record<string, unknown> = {}) {
    super(message, { extensions: { code, ...more, http: { status: 400 } } });
  }
}

/** Throws RefusedOperationError, with limit and remedy. Also for NaN, which is no amount within any limit. */
export function checkLimit(limited: Limited, amount: number): void {
  const limit = LIMITS[limited];
  if (amount <= limit) return;
  const { code, of, advice } = REFUSALS[limited];
  const message = `The limit is ${limit.toLocaleString('en')} ${of}. ${advice}`;
  const cost = limited === 'cost' ? { cost: amount } : {};
  throw new RefusedOperationError(message, code, { ...cost, limit });
}

/** The error for `__schema` and `__type` where nobody may ask for them. */
export function introspectionRefusal(): RefusedOperationError {
  const message =
    'Introspection is off on this server (TRIVIUM_GRAPHIQL). The schema is in the file `schema.graphql` of the source code.';
  return new RefusedOperationError(message, 'INTROSPECTION_DISABLED');
}
