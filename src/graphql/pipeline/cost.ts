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
import { connectionSize, isConnection, listSize, type Variables } from '../list-size.ts';

/**
 * The price of a selection. What is below `nodes` or `edges` comes once for each node of the page, whose
 * size the field above knows: hence two figures.
 */
interface Price {
  once: number;
  perNode: number;
}

interface Pricing {
  schema: GraphQLSchema;
  fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  /** Prices of fragments: each is walked once, however often spread. Their types, and so these, are the same everywhere. */
  priced: Map<string, Price>;
  variables: Variables;
}

/**
 * Makes the function that tells what a valid operation costs: **the fields that its answer holds if every
 * page is full**, every list without a size has 10 members, and nothing is skipped. Members of a union
 * are added up, and so is what two fragments both ask for. Remembers what no variable can change.
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
    if (!pricing.variables.areRead) fixed.set(operation, once);
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
  const values: Record<string, unknown> = {};
  for (const { variable, defaultValue } of variableDefinitions) {
    if (defaultValue) values[variable.name.value] = valueFromASTUntyped(defaultValue);
  }
  Object.assign(values, variableValues);
  return { schema, fragments, priced: new Map(), variables: { values, areRead: false } };
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
  if (isList(field.type)) {
    if (isConnection(parent)) return { once: 1, perNode: inner.once };
    const size = listSize(node, parent, pricing.variables);
    return { once: 1 + size * inner.once, perNode: 0 };
  }
  const pageSize = inner.perNode === 0 ? 0 : connectionSize(node, pricing.variables);
  return { once: 1 + inner.once + pageSize * inner.perNode, perNode: 0 };
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
