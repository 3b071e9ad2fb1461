import type {
  InputFieldMap,
  InputShapeFromFields,
  ShapeFromTypeParam,
  TypeParam,
} from '@pothos/core';
import type { ErrorsPluginOptions } from '@pothos/plugin-errors';
import type { Context } from '../domain/context.ts';
import { NotFoundError } from '../domain/error.ts';
import { PAGE_SIZE_MAX } from '../domain/page.ts';
import { builder, COMMON_ERRORS } from './builder.ts';
import { parseNodeId } from './id.ts';
import { withListSize } from './price.ts';

/** The types that the builder of the schema knows. */
export type Types =
  typeof builder extends PothosSchemaTypes.SchemaBuilder<infer Found> ? Found : never;
type ErrorClass = NonNullable<ErrorsPluginOptions<Types>['defaultTypes']>[number];

/** The field builder of a mutation's `input`, for functions that add fields to several inputs. */
export type InputFields = PothosSchemaTypes.InputFieldBuilder<Types, 'InputObject'>;

interface Mutation<Fields extends InputFieldMap, Type extends TypeParam<Types>> {
  /** Starts with a verb; a list of the errors is appended. */
  description: string;
  /** Members of the result besides `COMMON_ERRORS`. */
  errors?: readonly ErrorClass[];
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
 * Defines a mutation `name` with its types `<Name>Input`, `<Name>Success` and `<Name>Result`. A list that it
 * returns is priced at 200 items, the most that its input may contain.
 */
export function mutation<Fields extends InputFieldMap, Type extends TypeParam<Types>>(
  name: string,
  { description, errors = [], input, inputNote = '', success, resolve }: Mutation<Fields, Type>,
): void {
  const typeName = name.charAt(0).toUpperCase() + name.slice(1);
  const inputType = builder.inputType(`${typeName}Input`, {
    description: `Input of \`${name}\`. ${inputNote}`.trimEnd(),
    fields: input,
  });
  const successType = builder
    .objectRef<{ value: ShapeFromTypeParam<Types, Type, false> }>(`${typeName}Success`)
    .implement({
      description: `Result of \`${name}\` if it succeeds.`,
      fields: (t) => ({
        [success.field]: t.field({
          type: success.type,
          description: success.description,
          ...(Array.isArray(success.type) && withListSize(PAGE_SIZE_MAX)),
          // The type of the options depends on whether `Type` is a list, which is not known here.
          resolve: ({ value }): never => value as never,
        }),
      }),
    });
  builder.mutationField(name, (t) =>
    t.field({
      type: successType,
      description: `${description} Errors: ${errorNames(errors).join(', ')}.`,
      errors: { types: [...errors] },
      args: {
        input: t.arg({ type: inputType, required: true, description: 'Input of the mutation.' }),
      },
      resolve: async (_root, args, { domain, onRefused }) => {
        const { input } = args as { input: InputShapeFromFields<Fields> };
        try {
          return { value: await resolve(domain, input) };
        } catch (error) {
          onRefused(error);
          throw error;
        }
      },
    }),
  );
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
