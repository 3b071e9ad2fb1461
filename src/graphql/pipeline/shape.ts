import {
  type DocumentNode,
  type FragmentDefinitionNode,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
  visit,
} from 'graphql';

/** The measures of a document that need neither the schema nor the variables. */
export interface Shape {
  operations: number;
  directives: number;
  /** Nested fields of the deepest operation. Fields below `__schema` and `__type` do not count. */
  depth: number;
  /** Aliases of the operation that has the most. Aliases in a fragment count once per spread. */
  aliases: number;
  /** Whether it selects `__schema` or `__type`. */
  isIntrospective: boolean;
}

type Extent = Pick<Shape, 'depth' | 'aliases'>;

/** Fragments by name, and the extents of those already measured. Each is walked once, however often it is spread. */
interface Fragments {
  definitions: Map<string, FragmentDefinitionNode>;
  extents: Map<string, Extent>;
}

const NOTHING: Extent = { depth: 0, aliases: 0 };

/**
 * Measures a document in time proportional to its length. The document need not be valid: a fragment that is missing or
 * contains itself counts as nothing, because validation refuses it afterwards.
 */
export function measureDocument(document: DocumentNode): Shape {
  const fragments: Fragments = { definitions: new Map(), extents: new Map() };
  const operations: Extent[] = [];
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION)
      fragments.definitions.set(definition.name.value, definition);
  }
  for (const definition of document.definitions) {
    if (definition.kind === Kind.OPERATION_DEFINITION)
      operations.push(extentOf(definition.selectionSet, fragments));
  }
  return {
    operations: operations.length,
    depth: Math.max(0, ...operations.map(({ depth }) => depth)),
    aliases: Math.max(0, ...operations.map(({ aliases }) => aliases)),
    ...countEverywhere(document),
  };
}

function countEverywhere(document: DocumentNode): Pick<Shape, 'directives' | 'isIntrospective'> {
  let directives = 0;
  let isIntrospective = false;
  visit(document, {
    Directive: () => void directives++,
    Field: ({ name }) => {
      isIntrospective ||= isIntrospection(name.value);
    },
  });
  return { directives, isIntrospective };
}

function extentOf({ selections }: SelectionSetNode, fragments: Fragments): Extent {
  const extent = { ...NOTHING };
  for (const selection of selections) {
    const { depth, aliases } = extentOfSelection(selection, fragments);
    extent.depth = Math.max(extent.depth, depth);
    extent.aliases += aliases;
  }
  return extent;
}

function extentOfSelection(selection: SelectionNode, fragments: Fragments): Extent {
  if (selection.kind === Kind.FRAGMENT_SPREAD) {
    return extentOfFragment(selection.name.value, fragments);
  }
  if (selection.kind === Kind.INLINE_FRAGMENT) return extentOf(selection.selectionSet, fragments);
  const { selectionSet, name, alias } = selection;
  const inner = selectionSet ? extentOf(selectionSet, fragments) : NOTHING;
  return {
    // The usual introspection query is 15 deep, with eight nested types. A rule of graphql-js limits its depth.
    depth: isIntrospection(name.value) ? 1 : inner.depth + 1,
    aliases: inner.aliases + (alias ? 1 : 0),
  };
}

function extentOfFragment(name: string, fragments: Fragments): Extent {
  const known = fragments.extents.get(name);
  if (known) return known;
  // A fragment that is found in its own definition ends there.
  fragments.extents.set(name, NOTHING);
  const definition = fragments.definitions.get(name);
  const extent = definition ? extentOf(definition.selectionSet, fragments) : NOTHING;
  fragments.extents.set(name, extent);
  return extent;
}

function isIntrospection(fieldName: string): boolean {
  return fieldName === '__schema' || fieldName === '__type';
}
