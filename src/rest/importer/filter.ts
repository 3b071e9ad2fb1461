import type { Condition, FieldType, FieldValue } from '../../lib/search.ts';
import { parseTime } from '../../lib/time.ts';
import { parseUuid } from '../../lib/uuid.ts';
import { badParameter, readEach, suggestion } from './problem.ts';
import { type Parameter, parseFlag, parseInteger } from './query.ts';

/** Fields that can be filtered, by their names on the wire. */
export type FilterFields<Field extends string> = Readonly<
  Record<string, { field: Field; type: FieldType }>
>;

/** The filter of a list. */
export interface Filter<Field extends string> {
  conditions: Condition<Field>[];
  /** Names of unknown parameters, where those are ignored. */
  ignored: string[];
}

/**
 * Parses the filters of a query. Contract §2.6: every operator on every field. Throws ProblemError:
 * 422 for a value of another type than its field, 400 for an unknown key unless `isLenient`.
 */
export function parseFilter<Field extends string>(
  query: readonly Parameter[],
  fields: FilterFields<Field>,
  { isLenient }: { isLenient: boolean },
): Filter<Field> {
  const sent = query.filter(({ family }) => family === 'filter');
  const byKey = [...Map.groupBy(sent, ({ members }) => members[0] ?? null)];
  const ignored: string[] = [];
  const conditions = readEach(byKey, ([key, parameters]) => {
    if (key === null) throw badParameter('filter', 'must be an object, as in filter[status]=a');
    const target = findTarget(key, fields);
    if (target !== null) return [toCondition(key, target, parameters)];
    // As sent, because a name with unbalanced brackets cannot be rebuilt from its key.
    const name = parameters[0]?.name ?? 'filter';
    if (!isLenient) throw unknownKey(name, key, fields);
    ignored.push(name);
    return [];
  });
  return { conditions: conditions.flat(), ignored };
}

const OPERATORS = [
  'eq',
  'neq',
  'in',
  'lt',
  'lte',
  'gt',
  'gte',
  'prefix',
  'suffix',
  'match',
  'contains',
  'exists',
] as const;
type Operator = (typeof OPERATORS)[number];

interface Target<Field extends string> {
  field: Field;
  type: FieldType;
  operator: Operator;
}

/** Splits `status__in` into the field `status` and the operator `in`. */
function findTarget<Field extends string>(
  key: string,
  fields: FilterFields<Field>,
): Target<Field> | null {
  const [, name = key, suffix = 'eq'] = /^(.*)__([a-z]+)$/.exec(key) ?? [];
  const operator = OPERATORS.find((one) => one === suffix);
  const found = Object.hasOwn(fields, name) ? fields[name] : undefined;
  return found !== undefined && operator !== undefined ? { ...found, operator } : null;
}

function unknownKey(parameter: string, key: string, fields: FilterFields<string>) {
  const known = Object.keys(fields).flatMap((name) => [
    name,
    ...OPERATORS.map((operator) => `${name}__${operator}`),
  ]);
  const hint = suggestion(key, known);
  return badParameter(parameter, `is not a filter of this list${hint}`, 400);
}

function toCondition<Field extends string>(
  key: string,
  { field, type, operator }: Target<Field>,
  parameters: readonly Parameter[],
): Condition<Field> {
  const name = `filter[${key}]`;
  const values = toValues(name, parameters, operator);
  const parsed = () => values.map((value) => parse(name, value, type));
  switch (operator) {
    case 'eq':
    case 'in':
      return { field, test: 'any', values: parsed() };
    case 'neq':
      return { field, test: 'none', values: parsed() };
    case 'exists':
      return { field, test: isAbsent(single(name, values)) ? 'absent' : 'exists' };
    case 'prefix':
    case 'suffix':
      return { field, test: operator, text: single(name, values) ?? '' };
    case 'match':
    case 'contains':
      return { field, test: 'substring', text: single(name, values) ?? '' };
    default:
      return { field, test: COMPARISONS[operator], value: parse(name, single(name, values), type) };
  }
}

const COMPARISONS = { lt: '<', lte: '<=', gt: '>', gte: '>=' } as const;

/**
 * Returns the values of a list. It has five spellings: repeated, `[]`, `[0]`, and for `__in` one
 * text with commas, of which an empty one is an empty list. Equality never splits: a comma may be
 * part of a value.
 */
function toValues(
  name: string,
  parameters: readonly Parameter[],
  operator: Operator,
): (string | null)[] {
  for (const { members } of parameters) {
    const isItem = members.length === 2 && /^\d*$/.test(members[1] ?? '');
    if (members.length > 1 && !isItem) throw badParameter(name, 'must be a value or a list');
  }
  const [only, ...others] = parameters;
  const isText = only !== undefined && others.length === 0 && only.members.length === 1;
  if (operator !== 'in' || !isText || only.value === null) {
    return parameters.map(({ value }) => value);
  }
  return only.value === '' ? [] : only.value.split(',');
}

function single(name: string, values: readonly (string | null)[]): string | null {
  const [value = null, ...others] = values;
  if (others.length > 0) throw badParameter(name, 'must be a single value');
  return value;
}

/** Tells whether a value of `exists` means absence: §2.6.1. */
function isAbsent(value: string | null): boolean {
  return value === '' || value === '0' || value === 'false';
}

function parse(name: string, value: string | null, type: FieldType): FieldValue {
  if (value === null) return null;
  try {
    return parseFieldValue(value, type);
  } catch (error) {
    if (error instanceof UnreadableValueError) throw badParameter(name, error.message);
    throw error;
  }
}

/**
 * A value does not have the type of its field. The message follows the name: `must be an integer`.
 */
class UnreadableValueError extends Error {
  override readonly name = 'UnreadableValueError';
}

/** Parses a value by the type of its field: contract §2.6.2. Throws UnreadableValueError. */
function parseFieldValue(text: string, { kind, isNullable }: FieldType): FieldValue {
  if (isNullable && text === 'null') return null;
  const [parse, expected] = READERS[kind];
  const value = parse(text);
  if (value === null) throw new UnreadableValueError(`must be ${expected}`);
  return value;
}

type Reader = (text: string) => string | number | null;

const READERS: Readonly<Record<FieldType['kind'], readonly [Reader, expected: string]>> = {
  uuid: [parseUuid, 'a UUID'],
  text: [(text) => text, 'text'],
  integer: [parseInteger, 'an integer'],
  real: [parseReal, 'a number'],
  time: [parseTime, 'a date or a time of ISO 8601'],
  flag: [toFlag, 'a boolean'],
};

function parseReal(text: string): number | null {
  const isNumber = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(text);
  return isNumber && Number.isFinite(Number(text)) ? Number(text) : null;
}

function toFlag(text: string): number | null {
  const flag = parseFlag(text);
  return flag === null ? null : Number(flag);
}
