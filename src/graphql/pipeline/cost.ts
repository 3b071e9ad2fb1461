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
import {
  COUNT_PAGES,
  COUNT_WORK,
  isCount,
  LIST_SIZE_DEFAULT,
  LIST_WORK,
  listSizeOf,
  workOf,
} from '../price.ts';

/** Cost of an operation. */
export interface Cost {
  /** In fields of a result; see `createCostMeter`. */
  cost: number;
  /** Fields that count a whole list. */
  counts: number;
  /** Path in the result to the most expensive part; empty if no field has a selection. */
  dearest: readonly string[];
}

/**
 * The price of a selection. Fields below `nodes` or `edges` are priced once per node of the page, and `totalCount` by
 * the list that it counts: only the field that returns the connection knows the size of the page and the filter.
 */
interface Price {
  once: number;
  perNode: number;
  /** Number of `totalCount` fields directly in this selection of a connection. */
  ownCounts: number;
  /** Number of `totalCount` fields anywhere in the selection. */
  counts: number;
  /** The most expensive field with a selection. */
  dearest: Step | null;
}

/**
 * A step of the path to the most expensive part. Each step accounts for more than half of the cost of the step above
 * it.
 */
interface Step {
  name: string;
  below: Step | null;
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
 * every page is full**, every list that declares no size has 10 items, and nothing is skipped, and **the work of its
 * lists** (`price.ts`). The members of a union are added up, and so are fields that two fragments both select. Costs
 * that no variable can change are cached.
 */
export function createCostMeter(): (args: ExecutionArgs) => Cost {
  const fixed = new WeakMap<OperationDefinitionNode, Cost>();
  return (args) => {
    const operation = getOperationAST(args.document, args.operationName);
    if (!operation) return toCost(FREE);
    const known = fixed.get(operation);
    if (known !== undefined) return known;
    const pricing = createPricing(args, operation);
    const root = args.schema.getRootType(operation.operation);
    const price = root ? priceSelections(pricing, operation.selectionSet, root) : FREE;
    const cost = toCost(price);
    if (!pricing.dependsOnVariables) fixed.set(operation, cost);
    return cost;
  };
}

function toCost({ once, counts, dearest }: Price): Cost {
  const path: string[] = [];
  for (let step = dearest; step; step = step.below) path.push(step.name);
  return { cost: once, counts, dearest: path };
}

const FREE: Price = { once: 0, perNode: 0, ownCounts: 0, counts: 0, dearest: null };
const LEAF: Price = { ...FREE, once: 1 };
const COUNT: Price = { ...LEAF, ownCounts: 1, counts: 1 };

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
  let most = 0;
  for (const selection of selections) {
    const { once, perNode, ownCounts, counts, dearest } = priceSelection(pricing, selection, type);
    price.once += once;
    price.perNode += perNode;
    price.ownCounts += ownCounts;
    price.counts += counts;
    if (once + perNode <= most) continue;
    most = once + perNode;
    price.dearest = dearest;
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
  if (!field) return LEAF;
  if (!node.selectionSet) return isCount(field) ? COUNT : LEAF;
  const inner = priceSelections(pricing, node.selectionSet, getNamedType(field.type));
  const { counts } = inner;
  const below = (cost: number, of: number) => ({
    name: node.alias?.value ?? node.name.value,
    below: cost > of / 2 ? inner.dearest : null,
  });
  if (!isList(field.type)) {
    const size = inner.perNode === 0 ? 0 : pageSize(pricing, node);
    const ofResult = inner.once + size * inner.perNode;
    const once = 1 + ofResult + listWork(pricing, node, field, inner.ownCounts);
    return { ...FREE, once, counts, dearest: below(ofResult, once) };
  }
  const size = listSizeOf(field);
  if (size === 'page') {
    return { ...FREE, once: 1, perNode: inner.once, counts, dearest: below(1, 1) };
  }
  const count = typeof size === 'number' ? size : lengthOf(pricing, node, size.argument);
  const once = 1 + count * inner.once;
  return { ...FREE, once, counts, dearest: below(count * inner.once, once) };
}

/** Returns the work of a field beyond its result: of a connection, finding the page, and counting. */
function listWork(
  pricing: Pricing,
  node: FieldNode,
  field: GraphQLField<unknown, unknown>,
  counts: number,
): number {
  const own = workOf(field, (name) => argument(pricing, node, name));
  if (!isConnection(field)) return own;
  const work = LIST_WORK + own;
  return work + counts * (COUNT_WORK + COUNT_PAGES * work);
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

/** A connection is an object with a list that has the size of a page. */
function isConnection({ type }: GraphQLField<unknown, unknown>): boolean {
  const named = getNamedType(type);
  const nodes = isObjectType(named) ? named.getFields().nodes : undefined;
  return nodes !== undefined && listSizeOf(nodes) === 'page';
}

function isList(type: GraphQLOutputType): boolean {
  return isListType(getNullableType(type));
}
