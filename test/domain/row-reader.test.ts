import { describe, expect, it } from 'vitest';
import { column, computed, createRowReader } from '../../src/domain/row-reader.ts';

interface Row {
  first_name: string;
  born_at: number;
  note: string | null;
}

interface Person {
  name: string;
  bornAt: Date;
  note: string | null;
}

const PERSON = createRowReader<Row, Person>({
  name: computed(['first_name'], (row) => row.first_name),
  bornAt: computed(['born_at'], (row) => new Date(row.born_at)),
  note: column('note'),
});
const ROW = { first_name: 'Ada', born_at: 5, note: null };

describe('a reader of rows', () => {
  it('converts a whole row to a plain object', () => {
    const person = { name: 'Ada', bornAt: new Date(5), note: null };
    expect(PERSON.toObject(ROW)).toEqual(person);
    const { columns, convert } = PERSON.part(undefined);
    expect(columns).toBeUndefined();
    expect(convert(ROW)).toEqual(person);
  });

  it('names the columns of the wanted fields, each once', () => {
    expect(PERSON.part(['bornAt', 'note', 'bornAt']).columns).toEqual(['born_at', 'note']);
  });

  it('reads selected columns, null included, and refuses to read others', () => {
    const person = PERSON.part(['bornAt', 'note']).convert({ born_at: 5, note: null });
    expect([person.bornAt, person.note]).toEqual([new Date(5), null]);
    expect(() => person.name).toThrow('`name`');
  });
});
