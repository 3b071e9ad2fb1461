import { type GraphQLError, GraphQLObjectType, type GraphQLTypeResolver } from 'graphql';
import type { FieldInfo } from './field-info.ts';
import { leafText, listText } from './json-text.ts';
import {
  attemptEach,
  Failure,
  isAbsent,
  type Level,
  Lost,
  partOf,
  type Soon,
  settle,
  type Texts,
  when,
} from './level.ts';
import { locate } from './place.ts';
import { nameOf, nullMessage, type Output, type PlannedField, type Selections } from './plan.ts';
import { checkType, runtimeType } from './runtime-type.ts';
import { toItems } from './value.ts';

/** What the completion of values asks of the execution. */
export interface CompletionOwner {
  context: unknown;
  resolveType: GraphQLTypeResolver<unknown, unknown>;
  infoOf: (field: PlannedField, level: Level, index: number) => FieldInfo;
  /** Returns objects of one type as JSON. */
  objectsOf: (selections: Selections, type: GraphQLObjectType, objects: Level) => Soon<Texts>;
}

type LeafOutput = Output & { kind: 'leaf' };
type ObjectOutput = Output & { kind: 'object' | 'abstract' };

/** Writes values of fields as JSON: GraphQL §6.4.3, CompleteValue, for all values of a level at once. */
export class Completion {
  readonly #owner: CompletionOwner;
  readonly errors: GraphQLError[] = [];

  constructor(owner: CompletionOwner) {
    this.#owner = owner;
  }

  /** Completes the values of a field, or the items of its lists. */
  complete(field: PlannedField, output: Output, level: Level): Soon<Texts> {
    if (level.isSettled) return this.#completeSettled(field, output, level);
    return when(settle(level.values), (values) =>
      this.#completeSettled(field, output, { ...level, values }),
    );
  }

  #completeSettled(field: PlannedField, output: Output, level: Level): Soon<Texts> {
    if (output.kind === 'leaf') return this.#completeLeaves(field, output, level);
    if (output.kind === 'list') return this.#completeLists(field, output, level);
    return this.#completeObjects(field, output, level);
  }

  /** Returns null for a lost value, and reports its error. */
  toNull(lost: Lost): string {
    this.errors.push(lost.error);
    return 'null';
  }

  #completeLeaves(field: PlannedField, output: LeafOutput, level: Level): Texts {
    return level.values.map((value, index) => this.#leaf(value, field, output, level, index));
  }

  /** Completes a property of each object, without a list of its values. */
  completeProperty(
    field: PlannedField,
    property: string,
    output: LeafOutput,
    objects: Level,
    pathOf: Level['pathOf'],
  ): Texts {
    const level: Level = { values: objects.values, pathOf, isSettled: true };
    return objects.values.map((object, index) => {
      let value: unknown;
      try {
        value = (object as Record<string, unknown>)[property];
      } catch (error) {
        value = new Failure(error);
      }
      return this.#leaf(value, field, output, level, index);
    });
  }

  #leaf(
    value: unknown,
    field: PlannedField,
    output: LeafOutput,
    level: Level,
    index: number,
  ): string | Lost {
    if (isAbsent(value)) return this.#absent(value, field, output, level, index);
    try {
      return leafText(output.type, value);
    } catch (error) {
      return this.#absent(new Failure(error), field, output, level, index);
    }
  }

  #completeLists(
    field: PlannedField,
    output: Output & { kind: 'list' },
    level: Level,
  ): Soon<Texts> {
    const lists = attemptEach(level.values, (value) =>
      isAbsent(value) ? value : toItems(value, nameOf(field)),
    );
    const lengths = lists.map((list) => (Array.isArray(list) ? list.length : 0));
    const values: unknown[] = [];
    // Also for the holes of an array, which `map` would leave out.
    for (const list of lists) if (Array.isArray(list)) for (const item of list) values.push(item);
    const items: Level = {
      isSettled: level.isSettled,
      values,
      pathOf: (index) => {
        let key = index;
        for (const [list, length] of lengths.entries()) {
          if (key < length) return { prev: level.pathOf(list), key, typename: undefined };
          key -= length;
        }
        return undefined;
      },
    };
    return when(this.complete(field, output.item, items), (texts) => {
      let end = 0;
      return lists.map((list, index) => {
        if (!Array.isArray(list)) return this.#absent(list, field, output, level, index);
        const start = end;
        end += list.length;
        return this.#allowNull(output, listText(texts, start, end));
      });
    });
  }

  #completeObjects(field: PlannedField, output: ObjectOutput, level: Level): Soon<Texts> {
    if (output.kind === 'object' && !output.type.isTypeOf && !level.values.some(isAbsent)) {
      return this.#objectsOf(output.type, field, output, level);
    }
    const types = attemptEach(level.values, (value, index) =>
      isAbsent(value) ? value : this.#typeOf(value, field, output, level, index),
    );
    return when(settle(types), (types) => this.#completeTyped(field, output, level, types));
  }

  /** `types` holds the type of each object, and the value of what is no object. */
  #completeTyped(
    field: PlannedField,
    output: ObjectOutput,
    level: Level,
    types: readonly unknown[],
  ): Soon<Texts> {
    const texts: (string | Lost)[] = [];
    const groups = new Map<GraphQLObjectType, number[]>();
    for (const [index, type] of types.entries()) {
      if (!(type instanceof GraphQLObjectType)) {
        texts[index] = this.#absent(type, field, output, level, index);
        continue;
      }
      const group = groups.get(type);
      if (group === undefined) groups.set(type, [index]);
      else group.push(index);
    }
    const parts = [...groups].map(([type, indexes]) => {
      const objects = this.#objectsOf(type, field, output, partOf(level, indexes));
      return when(objects, (found) => {
        for (const [at, text] of found.entries()) texts[indexes[at] ?? 0] = text;
      });
    });
    return parts.some((part) => part instanceof Promise)
      ? Promise.all(parts).then(() => texts)
      : texts;
  }

  /** Returns objects of one type as JSON, or null for those that are lost, if null is allowed. */
  #objectsOf(
    type: GraphQLObjectType,
    field: PlannedField,
    output: ObjectOutput,
    level: Level,
  ): Soon<Texts> {
    try {
      const objects = this.#owner.objectsOf(output.selections, type, level);
      if (output.isNonNull) return objects;
      return when(objects, (texts) => texts.map((text) => this.#allowNull(output, text)));
    } catch (error) {
      // A directive in the selections has no value.
      const failure = new Failure(error);
      return level.values.map((_, index) => this.#absent(failure, field, output, level, index));
    }
  }

  /** Returns the type of an object, or a promise of it. Throws if its type is wrong. */
  #typeOf(
    value: unknown,
    field: PlannedField,
    output: ObjectOutput,
    level: Level,
    index: number,
  ): Soon<GraphQLObjectType> {
    if (output.kind === 'object' && !output.type.isTypeOf) return output.type;
    const { context, resolveType, infoOf } = this.#owner;
    const info = infoOf(field, level, index);
    const checked = (type: GraphQLObjectType) =>
      when(type.isTypeOf ? type.isTypeOf(value, context, info) : true, (isOfType) => {
        checkType(isOfType, type);
        return type;
      });
    if (output.kind === 'object') return checked(output.type);
    const resolve = output.type.resolveType ?? resolveType;
    return when(resolve(value, context, info, output.type) as Soon<unknown>, (name) =>
      checked(runtimeType(name, output.type, field, info.schema)),
    );
  }

  /** Returns the JSON of a value that is null or an error. */
  #absent(
    value: unknown,
    field: PlannedField,
    output: Output,
    level: Level,
    index: number,
  ): string | Lost {
    const isError = value instanceof Failure || value instanceof Error;
    if (!isError && !output.isNonNull) return 'null';
    const error = isError
      ? value instanceof Failure
        ? value.error
        : value
      : new Error(nullMessage(field));
    return this.#allowNull(output, new Lost(locate(error, field, level.pathOf(index))));
  }

  #allowNull({ isNonNull }: Output, text: string | Lost): string | Lost {
    return text instanceof Lost && !isNonNull ? this.toNull(text) : text;
  }
}
