import { GraphQLError } from 'graphql';

/** The limits of an operation. Each prevents another way of asking for too much. */
export const LIMITS = {
  /** Bounds the cache of documents. GraphiQL's introspection, longer than most documents, has 2,100. */
  characters: 50_000,
  /** Bounds parsing and validation, which take 0.2 s at worst for so many. GraphiQL's introspection has 184. */
  tokens: 2_000,
  /** Parser, rules and coercion recurse for each bracket: some hundreds overflow the stack. */
  nesting: 50,
  /** A tab of GraphiQL may hold several operations, of which one runs. */
  operations: 10,
  /** Seven nested connections by `nodes`, or four by `edges` and `node`, and the fields of the last. */
  depth: 15,
  /** Enough for a screen of several lists, too few for guessing ids. */
  aliases: 30,
  /** Each is compared with all others at its place. Clients use a few of `@include` and `@skip`. */
  directives: 20,
  /** Fields of the response, see `cost.ts`. All fields of 200 media and of their related objects are 90,000. */
  cost: 200_000,
} as const;

type Limited = keyof typeof LIMITS;

const REFUSALS: Record<Limited, { code: string; of: string; advice: string }> = {
  characters: {
    code: 'DOCUMENT_TOO_LONG',
    of: 'characters in a document',
    advice: 'Send values as variables.',
  },
  tokens: {
    code: 'TOO_MANY_TOKENS',
    of: 'tokens in a document',
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

/** The error of an operation that is refused before it runs, with HTTP 400. */
export class RefusedOperationError extends GraphQLError {
  constructor(message: string, code: string, more: Record<string, unknown> = {}) {
    super(message, { extensions: { code, ...more, http: { status: 400 } } });
  }
}

/** Throws RefusedOperationError, which tells the limit and a remedy, unless `amount` is within the limit. NaN never is. */
export function checkLimit(limited: Limited, amount: number): void {
  const limit = LIMITS[limited];
  if (amount <= limit) return;
  const { code, of, advice } = REFUSALS[limited];
  const message = `The limit is ${limit.toLocaleString('en')} ${of}. ${advice}`;
  const cost = limited === 'cost' ? { cost: amount } : {};
  throw new RefusedOperationError(message, code, { ...cost, limit });
}

/** Returns the error for `__schema` and `__type` on a server whose introspection is disabled. */
export function introspectionRefusal(): RefusedOperationError {
  const message =
    'Introspection is off on this server (TRIVIUM_GRAPHIQL). The schema is in the file `schema.graphql` of the source code.';
  return new RefusedOperationError(message, 'INTROSPECTION_DISABLED');
}
