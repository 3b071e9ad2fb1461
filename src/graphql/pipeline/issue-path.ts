import {
  type ExecutionArgs,
  type FieldNode,
  type GraphQLArgument,
  GraphQLError,
  TypeInfo,
  valueFromASTUntyped,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import { InvalidInputError } from '../../domain/error.ts';
import { globalIdParts } from '../id.ts';
import { withArguments } from '../refusal.ts';

/**
 * Returns an error of a field about its input with whole paths, from the arguments of the field. Other errors are
 * returned as they are.
 */
export function withWholePaths(error: GraphQLError, args: ExecutionArgs): GraphQLError {
  const { originalError, nodes = null, path = null } = error;
  const node = nodes?.[0];
  if (!(originalError instanceof InvalidInputError) || node?.kind !== 'Field') return error;
  const taken = argumentsOf(node, args);
  const named = withIndex(originalError, node, args.variableValues ?? {});
  const whole = withArguments(named, taken);
  return new GraphQLError(whole.message, { nodes, path, originalError: whole });
}

/** Returns an error about one id of the argument `ids`, such as that of `nodes`, with the index of the id. */
function withIndex(
  error: InvalidInputError,
  { arguments: given = [] }: FieldNode,
  variables: Readonly<Record<string, unknown>>,
): InvalidInputError {
  const value = given.find(({ name }) => name.value === 'ids')?.value;
  const [issue, ...others] = error.issues;
  if (value === undefined || others.length > 0 || issue?.path.join() !== 'id') return error;
  // A list of one may be given without brackets.
  const ids = [valueFromASTUntyped(value, variables)].flat();
  const index = ids.findIndex((id) => globalIdParts(String(id)) === null);
  return index < 0 ? error : new InvalidInputError([{ ...issue, path: ['ids', index] }]);
}

/** Returns the arguments that a field of the document takes. */
function argumentsOf(field: FieldNode, { schema, document }: ExecutionArgs) {
  const types = new TypeInfo(schema);
  let found: readonly GraphQLArgument[] = [];
  const look = (node: FieldNode) => {
    if (node === field) found = types.getFieldDef()?.args ?? [];
  };
  visit(document, visitWithTypeInfo(types, { Field: look }));
  return found;
}
