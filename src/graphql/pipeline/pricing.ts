import {
  type ExecutionArgs,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
  valueFromASTUntyped,
} from 'graphql';
import { type FirstRange, LIST_SIZE_DEFAULT, listSizeOf } from '../price.ts';

/** The operation that is priced: `Kept` is what is kept of each fragment. */
export interface Pricing<Kept> {
  schema: GraphQLSchema;
  fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  /** Prices of fragments. Each fragment has one type, so it is walked once, however often it is spread. */
  priced: Map<string, Kept>;
  /** Values of the operation's variables. */
  variables: Readonly<Record<string, unknown>>;
  /** Whether a size came from a variable. The cost is then valid for these values only. */
  dependsOnVariables: boolean;
}

/** Returns the pricing of an operation that has not begun. */
export function createPricing<Kept>(
  { schema, document, variableValues }: ExecutionArgs,
  { variableDefinitions = [] }: OperationDefinitionNode,
): Pricing<Kept> {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION)
      fragments.set(definition.name.value, definition);
  }
  const variables: Record<string, unknown> = {};
  for (const { variable, defaultValue } of variableDefinitions) {
    if (defaultValue) variables[variable.name.value] = valueFromASTUntyped(defaultValue);
  }
  Object.assign(variables, variableValues);
  return { schema, fragments, priced: new Map(), variables, dependsOnVariables: false };
}

/** Returns the number of items for which a list is priced. */
export function sizeOf(
  pricing: Pricing<unknown>,
  node: FieldNode,
  field: GraphQLField<unknown, unknown>,
): number | 'page' {
  const size = listSizeOf(field);
  if (typeof size !== 'object') return size;
  return 'max' in size ? firstOf(pricing, node, size) : lengthOf(pricing, node, size.argument);
}

/**
 * Returns the requested number of items, clamped to the allowed range. The domain refuses a number out of range with a
 * better message.
 */
export function firstOf(pricing: Pricing<unknown>, node: FieldNode, range: FirstRange): number {
  const size = argument(pricing, node, 'first') ?? argument(pricing, node, 'last');
  if (typeof size !== 'number') return range.default;
  return Math.min(Math.max(size, 0), range.max);
}

/** Returns the length of the list in an argument; the default if its value is not a list. */
function lengthOf(pricing: Pricing<unknown>, node: FieldNode, name: string): number {
  const list = argument(pricing, node, name);
  return Array.isArray(list) ? list.length : LIST_SIZE_DEFAULT;
}

/** Returns the value of an argument as the client sent it; undefined if it is absent. */
export function argument(pricing: Pricing<unknown>, node: FieldNode, name: string): unknown {
  const value = node.arguments?.find((argument) => argument.name.value === name)?.value;
  if (!value) return undefined;
  if (value.kind === Kind.VARIABLE) pricing.dependsOnVariables = true;
  return valueFromASTUntyped(value, pricing.variables);
}
