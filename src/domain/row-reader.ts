/** How a field of an object is read from its row: the columns that the field needs, and their conversion. */
export interface FieldOfRow<Row, Value> {
  columns: readonly (keyof Row & string)[];
  read: (row: Row) => Value;
}

/** Says how each field of an object is read. */
export type FieldsOfRow<Row, Fields> = {
  readonly [Name in keyof Fields]-?: FieldOfRow<Row, Fields[Name]>;
};

/** Fields of each object that the caller needs. Undefined: all. */
export type Only<Fields> = readonly (keyof Fields & string)[] | undefined;

/** Converts rows to objects. */
export interface RowReader<Row, Fields> {
  /** Converts a whole row. */
  toObject: (row: Row) => Fields;
  part: (only: Only<Fields>) => Part<Row, Fields>;
}

/** The columns to select for some fields, and the conversion of the rows to objects. */
export interface Part<Row, Fields> {
  columns: readonly (keyof Row & string)[] | undefined;
  /**
   * Returns the object of a row with these columns. It converts each field when that field is read, because most
   * requests read few. Reading a field whose columns were not selected throws an Error.
   */
  convert: (row: Partial<Row>) => Fields;
}

/** Says that a field has the value of a column. */
export function column<Row, Name extends keyof Row & string>(
  name: Name,
): FieldOfRow<Row, Row[Name]> {
  return { columns: [name], read: (row) => row[name] };
}

/** Says that a field is computed from columns. */
export function computed<Row, Value, Name extends keyof Row & string = keyof Row & string>(
  columns: readonly Name[],
  read: (row: Pick<Row, Name>) => Value,
): FieldOfRow<Row, Value> {
  return { columns, read };
}

/** Creates the reader of a type. */
export function createRowReader<Row extends object, Fields extends object>(
  fields: FieldsOfRow<Row, Fields>,
): RowReader<Row, Fields> {
  const entries = Object.entries(fields) as [keyof Fields & string, FieldOfRow<Row, unknown>][];
  class View {
    readonly row: Row;

    constructor(row: Row) {
      this.row = row;
    }
  }
  for (const [name, field] of entries) {
    Object.defineProperty(View.prototype, name, { get: getter(name, field) });
  }
  const toObject = (row: Row) => {
    const object: Record<string, unknown> = {};
    for (const [name, { read }] of entries) object[name] = read(row);
    return object as Fields;
  };
  const toView = (row: Partial<Row>) => new View(row as Row) as unknown as Fields;
  return {
    toObject,
    part: (only) =>
      only === undefined
        ? { columns: undefined, convert: toObject as Part<Row, Fields>['convert'] }
        : {
            columns: [...new Set(only.flatMap((name) => fields[name].columns))],
            convert: toView,
          },
  };
}

function getter<Row>(name: string, { columns, read }: FieldOfRow<Row, unknown>) {
  const [first] = columns;
  return function get(this: { row: Row }): unknown {
    const { row } = this;
    if (first !== undefined && row[first] === undefined) {
      throw new Error(`The columns of \`${name}\` were not selected.`);
    }
    return read(row);
  };
}
