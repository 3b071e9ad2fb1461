import {
  type ExecutionArgs,
  type FieldNode,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLOutputType,
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
} from 'graphql';
import {
  COUNT_PAGES,
  COUNT_WORK,
  facetWorkOf,
  isCount,
  LIST_WORK,
  listSizeOf,
  pageSizeOf,
  selectionWorkOf,
  workOf,
} from '../price.ts';
import { argument, createPricing, firstOf, type Pricing, sizeOf } from './pricing.ts';

/** Cost of an operation. */
export interface Cost {
  /** In fields of a result; see `createCostMeter`. */
  cost: number;
  /** Fields that count a whole list. */
  counts: number;
  /** Path in the result to the most expensive part; empty if no field has a selection or work. */
  dearest: readonly string[];
  /** Path in the result to a field that counts, in the part that has most of them; empty if there is none. */
  counting: readonly string[];
}

/**
 * The price of a selection. Fields below `nodes` or `edges` are priced once per node of the page, and `totalCount` and
 * facets by the list that they count: only the field that returns the connection knows the size of the page and the
 * filter.
 */
interface Price {
  once: number;
  perNode: number;
  /** Number of `totalCount` fields of the connection whose selection this is. */
  ownCounts: number;
  /** Work of the facets of that connection. */
  ownFacets: number;
  /** Number of fields anywhere in the selection that count a list. */
  counts: number;
  /** The most expensive field with a selection or with work. */
  dearest: Step | null;
  /** A field that counts a list, in the part of the selection that has most of them. */
  counting: Step | null;
}

/**
 * A step of the path to the most expensive part. Each step accounts for more than half of the cost of the step above
 * it.
 */
interface Step {
  name: string;
  below: Step | null;
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
    const pricing = createPricing<Price>(args, operation);
    const root = args.schema.getRootType(operation.operation);
    const price = root ? priceSelections(pricing, operation.selectionSet, root) : FREE;
    const cost = toCost(price);
    if (!pricing.dependsOnVariables) fixed.set(operation, cost);
    return cost;
  };
}

function toCost({ once, counts, dearest, counting }: Price): Cost {
  return { cost: once, counts, dearest: pathOf(dearest), counting: pathOf(counting) };
}

function pathOf(first: Step | null): string[] {
  const path: string[] = [];
  for (let step = first; step; step = step.below) path.push(step.name);
  return path;
}

const FREE: Price = {
  ...{ once: 0, perNode: 0, ownCounts: 0, ownFacets: 0, counts: 0 },
  ...{ dearest: null, counting: null },
};
const LEAF: Price = { ...FREE, once: 1 };

function priceSelections(
  pricing: Pricing<Price>,
  { selections }: SelectionSetNode,
  type: GraphQLNamedType,
): Price {
  const price = { ...FREE };
  let most = 0;
  let mostCounts = 0;
  for (const selection of selections) {
    const one = priceSelection(pricing, selection, type);
    price.once += one.once;
    price.perNode += one.perNode;
    price.ownCounts += one.ownCounts;
    price.ownFacets += one.ownFacets;
    price.counts += one.counts;
    if (one.counts > mostCounts) {
      mostCounts = one.counts;
      price.counting = one.counting;
    }
    if (one.once + one.perNode > most) {
      most = one.once + one.perNode;
      price.dearest = one.dearest;
    }
  }
  return price;
}

function priceSelection(
  pricing: Pricing<Price>,
  selection: SelectionNode,
  type: GraphQLNamedType,
): Price {
  if (selection.kind === Kind.FIELD) return priceField(pricing, selection, type);
  if (selection.kind === Kind.FRAGMENT_SPREAD) return priceFragment(pricing, selection.name.value);
  const { typeCondition, selectionSet } = selection;
  const narrowed = typeCondition && pricing.schema.getType(typeCondition.name.value);
  return priceSelections(pricing, selectionSet, narrowed ?? type);
}

function priceFragment(pricing: Pricing<Price>, name: string): Price {
  const known = pricing.priced.get(name);
  if (known) return known;
  const fragment = pricing.fragments.get(name);
  const type = fragment && pricing.schema.getType(fragment.typeCondition.name.value);
  const price = type ? priceSelections(pricing, fragment.selectionSet, type) : FREE;
  pricing.priced.set(name, price);
  return price;
}

function priceField(pricing: Pricing<Price>, node: FieldNode, parent: GraphQLNamedType): Price {
  const field = findField(parent, node.name.value);
  if (!field) return LEAF;
  const named = (below: Step | null): Step => ({
    name: node.alias?.value ?? node.name.value,
    below,
  });
  const priced = node.selectionSet
    ? priceResult(pricing, node, field, node.selectionSet, named)
    : priceLeaf(pricing, node, field, named);
  const ownCounts = Number(isCount(field));
  const ownFacets = facetWorkOf(field);
  if (ownCounts + ownFacets === 0) return priced;
  return { ...priced, ownCounts, ownFacets, counts: priced.counts + 1, counting: named(null) };
}

/** Prices a field without a selection, which is a step of the path if it has work. */
function priceLeaf(
  pricing: Pricing<Price>,
  node: FieldNode,
  field: GraphQLField<unknown, unknown>,
  named: (below: Step | null) => Step,
): Price {
  const work = workOf(field, (name) => argument(pricing, node, name));
  return work === 0 ? LEAF : { ...LEAF, once: 1 + work, dearest: named(null) };
}

/** Prices a field with a selection. `named` returns the step of a path to the field. */
function priceResult(
  pricing: Pricing<Price>,
  node: FieldNode,
  field: GraphQLField<unknown, unknown>,
  selectionSet: SelectionSetNode,
  named: (below: Step | null) => Step,
): Price {
  const inner = priceSelections(pricing, selectionSet, getNamedType(field.type));
  const { counts } = inner;
  const counting = counts > 0 ? named(inner.counting) : null;
  if (isConnection(field)) {
    const size = inner.perNode === 0 ? 0 : firstOf(pricing, node, pageSizeOf(field));
    const ofResult = inner.once + size * inner.perNode;
    const read = (name: string) => argument(pricing, node, name);
    const ofPage = LIST_WORK + workOf(field, read);
    const ofCounts = countWork(inner, LIST_WORK + selectionWorkOf(field, read));
    const once = 1 + ofResult + ofPage + ofCounts;
    const below = ofCounts > once / 2 ? inner.counting : ofResult > once / 2 ? inner.dearest : null;
    return { ...FREE, once, counts, counting, dearest: named(below) };
  }
  if (!isList(field.type)) {
    const once = 1 + inner.once + workOf(field, (name) => argument(pricing, node, name));
    const dearest = named(inner.once > once / 2 ? inner.dearest : null);
    const { ownCounts, ownFacets } = inner;
    return { ...FREE, once, ownCounts, ownFacets, counts, counting, dearest };
  }
  const size = sizeOf(pricing, node, field);
  if (size === 'page') {
    return {
      ...FREE,
      once: 1,
      perNode: inner.once,
      counts,
      counting,
      dearest: named(inner.dearest),
    };
  }
  const once = 1 + size * inner.once;
  const dearest = named(size * inner.once > once / 2 ? inner.dearest : null);
  return { ...FREE, once, counts, counting, dearest };
}

/** Returns the work of the fields of a connection that visit its whole list. */
function countWork({ ownCounts, ownFacets }: Price, ofUnordered: number): number {
  const ofSelection = COUNT_PAGES * ofUnordered;
  const ofFacets = ownFacets === 0 ? 0 : ownFacets + ofSelection;
  return ownCounts * (COUNT_WORK + ofSelection) + ofFacets;
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
