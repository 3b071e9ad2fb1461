import { describe, expect, it } from 'vitest';
import { EXECUTIONS, executeBoth } from '../../support/execution.ts';

const SDL = `
  type Query { number: Int }
  type Mutation { set(to: Int!): Number  later(to: Int!): Number  must(to: Int!): Number! }
  type Number { value: Int  later: Int  must: Int! }
`;

/** A number that mutations change, and a log of what starts and ends. */
function createRoot(log: string[] = []) {
  let value = 0;
  const change = (to: number) => {
    if (to < 0) throw new Error(`below zero: ${to}`);
    value = to;
    const read = async () => {
      log.push(`read of ${to} begins`);
      for (let tick = 0; tick < 5; tick++) await null;
      log.push(`read of ${to} ends`);
      return value;
    };
    return { value: () => value, later: read, must: () => (value > 99 ? null : value) };
  };
  const changeLater = async (to: number) => {
    log.push(`change to ${to} begins`);
    for (let tick = 0; tick < 3; tick++) await null;
    log.push(`change to ${to} ends`);
    return change(to);
  };
  return {
    set: ({ to }: { to: number }) => change(to),
    later: ({ to }: { to: number }) => changeLater(to),
    must: ({ to }: { to: number }) => (to % 2 ? change(to) : changeLater(to)),
  };
}

/** Creates a root for each execution, and collects their logs. */
function createLoggedRoots() {
  const logs: string[][] = [];
  const root = () => {
    const log: string[] = [];
    logs.push(log);
    return createRoot(log);
  };
  return { root, logs };
}

/** Mutations, their data, and the paths of their errors. */
const CASES: Record<string, { text: string; data: unknown; paths?: unknown[][] }> = {
  'fields at once': {
    text: 'mutation { a: set(to: 1) { value } b: set(to: 2) { value } }',
    data: { a: { value: 1 }, b: { value: 2 } },
  },
  'fields at once and later': {
    text: 'mutation { a: set(to: 1) { value later } b: later(to: 2) { value later } c: set(to: 3) { value } }',
    data: { a: { value: 1, later: 1 }, b: { value: 2, later: 2 }, c: { value: 3 } },
  },
  'a field that throws': {
    text: 'mutation { a: set(to: 1) { value } b: set(to: -1) { value } c: set(to: 3) { value } }',
    data: { a: { value: 1 }, b: null, c: { value: 3 } },
    paths: [['b']],
  },
  'a field that rejects': {
    text: 'mutation { a: later(to: 1) { value } b: later(to: -1) { value } c: later(to: 3) { value } }',
    data: { a: { value: 1 }, b: null, c: { value: 3 } },
    paths: [['b']],
  },
  'a null below a field': {
    text: 'mutation { a: later(to: 100) { must } b: set(to: 2) { must } }',
    data: { a: null, b: { must: 2 } },
    paths: [['a', 'must']],
  },
  'a null in place of everything': {
    text: 'mutation { a: set(to: 1) { value } b: must(to: -1) { value } c: set(to: 3) { value } }',
    data: null,
    paths: [['b']],
  },
  'a null in place of everything, later': {
    text: 'mutation { a: set(to: 1) { value } b: must(to: -2) { value } c: later(to: 3) { value } }',
    data: null,
    paths: [['b']],
  },
  'a field in several places': {
    text: 'mutation { a: later(to: 1) { value } b: set(to: 2) { value } a: later(to: 1) { later } }',
    data: { a: { value: 1, later: 1 }, b: { value: 2 } },
  },
  'no field': { text: 'mutation { a: set(to: 1) @skip(if: true) { value } }', data: {} },
};

describe('a mutation has', () => {
  for (const [name, { text, data, paths }] of Object.entries(CASES)) {
    it(name, async () => {
      const result = await executeBoth({ schema: SDL, text, root: () => createRoot() });
      expect(result.data).toEqual(data);
      expect(result.errors?.map((error) => 'path' in error && error.path)).toEqual(paths);
    });
  }
});

it('a field of a mutation starts when everything below the field before it has ended', async () => {
  const { root, logs } = createLoggedRoots();
  const text =
    'mutation { later(to: 1) { later } again: later(to: 2) { later } last: set(to: 3) { later } }';
  await executeBoth({ schema: SDL, text, root });
  const change = (to: number) => [`change to ${to} begins`, `change to ${to} ends`];
  const read = (to: number) => [`read of ${to} begins`, `read of ${to} ends`];
  const expected = [...change(1), ...read(1), ...change(2), ...read(2), ...read(3)];
  expect(logs).toEqual(Array.from({ length: EXECUTIONS }, () => expected));
});

it('no field of a mutation starts after a null has replaced everything', async () => {
  const { root, logs } = createLoggedRoots();
  for (const to of [-1, -2]) {
    const text = `mutation { must(to: ${to}) { value } later(to: 1) { value } }`;
    await executeBoth({ schema: SDL, text, root });
  }
  expect(logs.flat().filter((entry) => entry.startsWith('change to 1'))).toEqual([]);
});

it('the fields of a query start together', async () => {
  const log: string[] = [];
  const root = () => ({
    number: async () => {
      log.push('begins');
      await null;
      log.push('ends');
      return 1;
    },
  });
  await executeBoth({ schema: SDL, text: '{ number again: number }', root });
  expect(log.slice(0, 4)).toEqual(['begins', 'begins', 'ends', 'ends']);
  expect(log.slice(4, 8)).toEqual(['begins', 'begins', 'ends', 'ends']);
});
