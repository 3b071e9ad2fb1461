import type {
  FieldMap,
  InputFieldMap,
  InputShapeFromFields,
  ShapeFromTypeParam,
  TypeParam,
} from '@pothos/core';
import type { ErrorsPluginOptions } from '@pothos/plugin-errors';
import type { Context } from '../domain/context.ts';
import { NotFoundError } from '../domain/error.ts';
import { PAGE_SIZE_MAX } from '../domain/page.ts';
import { builder, COMMON_ERRORS, type GraphqlContext } from './builder.ts';
import { parseNodeId } from './id.ts';
import { withListSize } from './price.ts';
import { inTermsOfCaller } from './refusal.ts';

/** The types that the builder of the schema knows. */
export type Types =
  typeof builder extends PothosSchemaTypes.SchemaBuilder<infer Found> ? Found : never;
type ErrorClass = NonNullable<ErrorsPluginOptions<Types>['defaultTypes']>[number];

/** The field builder of a mutation's `input`, for functions that add fields to several inputs. */
export type InputFields = PothosSchemaTypes.InputFieldBuilder<Types, 'InputObject'>;

/** The field builder of the success type of a mutation. */
type SuccessFields<Shape> = PothosSchemaTypes.ObjectFieldBuilder<Types, Shape>;

interface MutationParts<Shape> {
  /** Starts with a verb; a list of the errors is appended. */
  description: string;
  /** Members of the result besides `COMMON_ERRORS`. */
  errors?: readonly ErrorClass[];
  /** The fields of the success type. */
  success: (t: SuccessFields<Shape>) => FieldMap;
  /** Its price, if it does the work of a list: see `price.ts`. */
  price?: { extensions: Record<string, unknown> };
}

/**
 * Defines a mutation `name` with its types `<Name>Success` and `<Name>Result`. `args` are its arguments, and `resolve`
 * returns the parent of the fields of the success type.
 */
export function mutationOf<Shape extends object, Args extends InputFieldMap>(
  name: string,
  {
    description,
    errors = [],
    success,
    args,
    price,
    resolve,
  }: MutationParts<Shape> & {
    args: Args;
    resolve: (context: GraphqlContext, args: InputShapeFromFields<Args>) => Promise<Shape>;
  },
): void {
  const successType = builder.objectRef<Shape>(`${typeNameOf(name)}Success`).implement({
    description: `Result of \`${name}\` if it succeeds.`,
    fields: success,
  });
  const run = async (context: GraphqlContext, args: InputShapeFromFields<Args>) => {
    try {
      return await resolve(context, args);
    } catch (error) {
      context.onRefused(error);
      throw inTermsOfCaller(error, args);
    }
  };
  builder.mutationField(name, (t) =>
    t.field({
      type: successType,
      description: `${description} Errors: ${errorNames(errors).join(', ')}.`,
      errors: { types: [...errors] },
      args,
      ...price,
      // The types of Pothos cannot be resolved for any `Shape`.
      resolve: (_root, args, context): never =>
        run(context, args as InputShapeFromFields<Args>) as never,
    }),
  );
}

/** Defines the input `<Name>Input` of a mutation, and returns the mutation's argument. */
export function inputArgs<Fields extends InputFieldMap>(
  name: string,
  fields: (t: InputFields) => Fields,
  note = '',
) {
  const type = builder.inputType(`${typeNameOf(name)}Input`, {
    description: `Input of \`${name}\`. ${note}`.trimEnd(),
    fields,
  });
  return builder.args((t) => ({
    input: t.field({ type, required: true, description: 'Input of the mutation.' }),
  }));
}

function typeNameOf(mutation: string): string {
  return mutation.charAt(0).toUpperCase() + mutation.slice(1);
}

interface Mutation<Fields extends InputFieldMap, Type extends TypeParam<Types>>
  extends Omit<MutationParts<never>, 'success'> {
  input: (t: InputFields) => Fields;
  /** Appended to the description of the input type. */
  inputNote?: string;
  /** The one field of the success type, whose value `resolve` returns. */
  success: { field: string; type: Type; description: string };
  resolve: (
    domain: Context,
    input: InputShapeFromFields<Fields>,
  ) => Promise<ShapeFromTypeParam<Types, Type, false>>;
}

/**
 * Defines a mutation as `mutationOf` does, with an input `<Name>Input` and one field in its success type. A list that it
 * returns is priced at 200 items, the most that its input may contain.
 */
export function mutation<Fields extends InputFieldMap, Type extends TypeParam<Types>>(
  name: string,
  { input, inputNote, success, resolve, ...parts }: Mutation<Fields, Type>,
): void {
  mutationOf<{ value: ShapeFromTypeParam<Types, Type, false> }, InputFieldMap>(name, {
    ...parts,
    args: inputArgs(name, input, inputNote),
    success: (t) => ({
      [success.field]: t.field({
        type: success.type,
        description: success.description,
        ...(Array.isArray(success.type) && withListSize(PAGE_SIZE_MAX)),
        // The type of the options depends on whether `Type` is a list, which is not known here.
        resolve: ({ value }): never => value as never,
      }),
    }),
    resolve: async ({ domain }, args) => ({
      value: await resolve(domain, (args as { input: InputShapeFromFields<Fields> }).input),
    }),
  });
}

interface Deletion {
  description: string;
  /** The type of the object, and its name within a description. */
  type: string;
  noun: string;
  run: (domain: Context, id: number) => Promise<unknown>;
}

/** Defines a mutation that deletes the object with a global id, and returns that id. */
export function deletion(name: string, { description, type, noun, run }: Deletion): void {
  mutation(name, {
    description,
    errors: [NotFoundError],
    input: (t) => ({ id: t.id({ required: true, description: `Global id of the ${noun}.` }) }),
    success: {
      field: 'deletedId',
      type: 'ID',
      description: `Global id of the deleted ${noun}.`,
    },
    resolve: async (domain, { id }) => {
      await run(domain, parseNodeId(type, id, 'id'));
      return id;
    },
  });
}

/** Returns the sorted names of the errors. An error type of the schema has the name of its class. */
function errorNames(errors: readonly ErrorClass[]): string[] {
  return [...COMMON_ERRORS, ...errors].map(({ name }) => `\`${name}\``).sort();
}
