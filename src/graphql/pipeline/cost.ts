import {
  type ExecutionArgs,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  getOperationAST,
  isInterfaceType,
  isListType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  SchemaMetaFieldDef,
  type SelectionNode,
  type SelectionSetNode,
  TypeMetaFieldDef,
  valueFromASTUntyped,
} from 'graphql';
import { PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX } from '../../domain/page.ts';
import { LIST_SIZE_DEFAULT, listSizeOf } from '../list-size.ts';

/**
 * The price of a selection. It has two figures because fields below `nodes` or `edges` are priced once per node of the
 * page, and only the field that returns the connection knows the page size.
 */
interface Price {
  once: number;
  perNode: number;
}

interface Pricing {
  schema: GraphQLSchema;
  fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  /** Prices of fragments. Each fragment has one type, so it is walked once, however often it is spread. */
  priced: Map<string, Price>;
  /** Values of the operation's variables. */
  variables: Readonly<Record<string, unknown>>;
  /** Whether a size came from a variable. The cost is then valid for these values only. */
  dependsOnVariables: boolean;
}

/**
 * Returns a function that computes the cost of a valid operation: **the number of fields in its response if
 * every page is full**, every list that declares no size has 10 items, and nothing is skipped. The members of a
 * union are added up, and so are fields that two fragments both select. Costs that no variable can change are
 * cached.
 */
export function createCostMeter(): (args: ExecutionArgs) => number {
  const fixed = new WeakMap<OperationDefinitionNode, number>();
  return (args) => {
    const operation = getOperationAST(args.document, args.operationName);
    if (!operation) return 0;
    const known = fixed.get(operation);
    if (known !== undefined) return known;
    const pricing = createPricing(args, operation);
    const root = args.schema.getRootType(operation.operation);
    const { once } = root ? priceSelections(pricing, operation.selectionSet, root) : FREE;
    if (!pricing.dependsOnVariables) fixed.set(operation, once);
    return once;
  };
}

const FREE: Price = { once: 0, perNode: 0 };
const LEAF: Price = { once: 1, perNode: 0 };

function createPricing(
  { schema, document, variableValues }: ExecutionArgs,
  { variableDefinitions = [] }: OperationDefinitionNode,
): Pricing {
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

function priceSelections(
  pricing: Pricing,
  { selections }: SelectionSetNode,
  type: GraphQLNamedType,
): Price {
  const price = { ...FREE };
  for (const selection of selections) {
    const { once, perNode } = priceSelection(pricing, selection, type);
    price.once += once;
    price.perNode += perNode;
  }
  return price;
}

function priceSelection(pricing: Pricing, selection: SelectionNode, type: GraphQLNamedType): Price {
  if (selection.kind === Kind.FIELD) return priceField(pricing, selection, type);
  if (selection.kind === Kind.FRAGMENT_SPREAD) return priceFragment(pricing, selection.name.value);
  const { typeCondition, selectionSet } = selection;
  const narrowed = typeCondition && pricing.schema.getType(typeCondition.name.value);
  return priceSelections(pricing, selectionSet, narrowed ?? type);
}

function priceFragment(pricing: Pricing, name: string): Price {
  const known = pricing.priced.get(name);
  if (known) return known;
  const fragment = pricing.fragments.get(name);
  const type = fragment && pricing.schema.getType(fragment.typeCondition.name.value);
  const price = type ? priceSelections(pricing, fragment.selectionSet, type) : FREE;
  pricing.priced.set(name, price);
  return price;
}

function priceField(pricing: Pricing, node: FieldNode, parent: GraphQLNamedType): Price {
  const field = findField(parent, node.name.value);
  if (!field || !node.selectionSet) return LEAF;
  const inner = priceSelections(pricing, node.selectionSet, getNamedType(field.type));
  if (!isList(field.type)) {
    const size = inner.perNode === 0 ? 0 : pageSize(pricing, node);
    return { once: 1 + inner.once + size * inner.perNode, perNode: 0 };
  }
  const size = listSizeOf(field);
  if (size === 'page') return { once: 1, perNode: inner.once };
  const count = typeof size === 'number' ? size : lengthOf(pricing, node, size.argument);
  return { once: 1 + count * inner.once, perNode: 0 };
}

/**
 * Returns the page size, clamped to the allowed range. The domain refuses a size out of range with a better message.
 */
function pageSize(pricing: Pricing, node: FieldNode): number {
  const size = argument(pricing, node, 'first') ?? argument(pricing, node, 'last');
  if (typeof size !== 'number') return PAGE_SIZE_DEFAULT;
  return Math.min(Math.max(size, 0), PAGE_SIZE_MAX);
}

/** Returns the length of the list in an argument; the default if its value is not a list. */
function lengthOf(pricing: Pricing, node: FieldNode, name: string): number {
  const list = argument(pricing, node, name);
  return Array.isArray(list) ? list.length : LIST_SIZE_DEFAULT;
}

function argument(pricing: Pricing, node: FieldNode, name: string): unknown {
  const value = node.arguments?.find((argument) => argument.name.value === name)?.value;
  if (!value) return undefined;
  if (value.kind === Kind.VARIABLE) pricing.dependsOnVariables = true;
  return valueFromASTUntyped(value, pricing.variables);
}

function findField(
  parent: GraphQLNamedType,
  name: string,
): GraphQLField<unknown, unknown> | undefined {
  if (name === SchemaMetaFieldDef.name) return SchemaMetaFieldDef;
  if (name === TypeMetaFieldDef.name) return TypeMetaFieldDef;
  return isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[name] : undefined;
}

function isList(type: GraphQLOutputType): boolean {
  return isListType(getNullableType(type));
}
