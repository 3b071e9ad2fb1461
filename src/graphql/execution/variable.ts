import {
  type DocumentNode,
  GraphQLIncludeDirective,
  GraphQLSkipDirective,
  Kind,
  type ValueNode,
  visit,
} from 'graphql';

const CONDITIONAL: readonly string[] = [GraphQLSkipDirective.name, GraphQLIncludeDirective.name];

/** Returns the names of the variables in `@skip` and `@include`. */
export function conditionsOf(document: DocumentNode): string[] {
  const names = new Set<string>();
  visit(document, {
    Directive: ({ name, arguments: args = [] }) => {
      if (!CONDITIONAL.includes(name.value)) return;
      for (const { value } of args) {
        if (value.kind === Kind.VARIABLE) names.add(value.name.value);
      }
    },
  });
  return [...names];
}

/** Returns whether a literal contains a variable. */
export function hasVariable(value: ValueNode): boolean {
  if (value.kind === Kind.LIST) return value.values.some(hasVariable);
  if (value.kind === Kind.OBJECT) return value.fields.some((field) => hasVariable(field.value));
  return value.kind === Kind.VARIABLE;
}
