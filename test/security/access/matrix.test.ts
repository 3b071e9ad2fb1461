import { describe, expect, it } from 'vitest';
import { schema } from '../../../src/graphql/schema.ts';
import { withApp } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { WITH_USERS } from '../../support/request.ts';
import {
  expectedOf,
  MODES,
  type Mode,
  sees,
  VIEWER_NAMES,
  VISIBILITIES,
  type Visibility,
} from './expectation.ts';
import { GRAPHQL } from './graphql-operation.ts';
import { type Cell, type Operation, outcomeOf, type Sent } from './request.ts';
import { ROUTES, routesOf } from './route-operation.ts';
import { type Item, makeWorld, type World } from './world.ts';

const OPERATIONS: Readonly<Record<string, Operation>> = { ...GRAPHQL, ...ROUTES };

/** Operations that `subscription.test.ts` and others of this folder try in another way. */
const ELSEWHERE = [
  'Subscription.mediaChanged',
  'Subscription.jobChanged',
  // In `change-event.test.ts`.
  'Subscription.folderChanged',
  'Subscription.tagChanged',
  'Subscription.uploadProgress',
];

/** Cells that are tried at the same time. */
const AT_ONCE = 8;

const nameOf = (key: string) => key.split('#')[0]!;

function fieldsOf(type: 'Query' | 'Mutation' | 'Subscription'): string[] {
  const fields = schema.getType(type) as unknown as { getFields(): object };
  return Object.keys(fields.getFields()).map((field) => `${type}.${field}`);
}

const ADVICE = 'has no rule: add a line to graphql-operation.ts or route-operation.ts';

describe('the access matrix', () => {
  it('has a rule for every operation of the schema, and no other', () => {
    const operations = [...fieldsOf('Query'), ...fieldsOf('Mutation'), ...fieldsOf('Subscription')];
    const ruled = new Set([...Object.keys(GRAPHQL).map(nameOf), ...ELSEWHERE]);
    const faults = operations.filter((name) => !ruled.has(name)).map((name) => `${name} ${ADVICE}`);
    const gone = [...ruled].filter((name) => !operations.includes(name));
    expect([...faults, ...gone.map((name) => `${name} is no operation`)]).toEqual([]);
  });
});

/** Sends the request of a cell. Returns its outcome and its response. */
async function send(operation: Operation, cell: Cell) {
  const request = await operation.send(cell);
  const { url, headers, ...sent } = request;
  const { world, viewer, item } = cell;
  const signature = viewer === 'signed' ? item.signature : '';
  const query = signature && (url.includes('?') ? '&' : '?') + signature;
  const answer = await world.app.app.server.inject({
    ...sent,
    url: url + query,
    headers: { ...headers, ...world.headers[viewer] },
  });
  return {
    sent: request,
    answer,
    outcome: outcomeOf({ url, ...sent }, answer, operation.shows?.(cell)),
  };
}

/** Tries one cell. Returns the fault, or null. */
async function tryCell(key: string, operation: Operation, facts: Omit<Cell, 'item'>) {
  const { world, viewer, mode, visibility } = facts;
  const expected = expectedOf(operation.rule, operation.ignoresCredentials ?? false, facts);
  const isNew = operation.once && expected === 'ok';
  const item = isNew ? await world.newItem(visibility) : world.items[visibility];
  const { sent, answer, outcome } = await send(operation, { ...facts, item });
  const where = `${key} by ${viewer}, ${visibility}, ${mode}`;
  // Some operations refuse a parameter that they do not know.
  const isRefused = viewer === 'signed' && /^(status|code) /.test(outcome);
  if (outcome !== expected && !isRefused) {
    const text = `${answer.statusCode} ${answer.body.slice(0, 200)}`;
    return `${where}: expected ${expected}, was ${outcome} (${text})`;
  }
  const tells = !operation.ofItem || operation.tells?.includes(viewer);
  if (tells || sees(facts) || viewer === 'signed' || outcome === 'ok') return null;
  const ghost = await send(operation, { ...facts, item: world.ghost });
  const [told, wanted] = [masked(answer, item), masked(ghost.answer, world.ghost)];
  return told === wanted || isSame(sent, ghost.sent)
    ? null
    : `${where} tells that the item exists: ${told}, not ${wanted}`;
}

/** Tells whether two requests name the same things: the list of a folder names none of its items. */
function isSame(a: Sent, b: Sent): boolean {
  return a.url === b.url && String(a.payload) === String(b.payload);
}

/** Returns a response without what names the item, and without the id of the request. */
function masked({ statusCode, body }: { statusCode: number; body: string }, item: Item): string {
  const names = [
    item.globalId,
    item.uuid,
    item.job.globalId,
    item.job.uuid,
    item.word,
    item.file.path,
  ];
  const text = names.reduce((text, name) => text.replaceAll(name, '…'), body);
  const ids = [item.id, idOf(item.globalId), idOf(item.job.globalId)].join('|');
  return `${statusCode} ${text.replace(new RegExp(`"(${ids})\\\\?"`, 'g'), '…').replace(REQUEST_ID, '')}`;
}

const REQUEST_ID = /"id":"[0-9a-f-]{36}"/g;
const idOf = (globalId: string) => Buffer.from(globalId, 'base64url').toString().split(':')[1];

/** The visibilities to try; for a sample, another one each time. */
function visibilitiesOf({ ofItem }: Operation, index: number | null): readonly Visibility[] {
  if (!ofItem) return ['PUBLIC'];
  return index === null ? VISIBILITIES : [VISIBILITIES[index % 3]!];
}

function* cellsOf(world: World, mode: Mode, isSample: boolean) {
  let index = MODES.indexOf(mode);
  for (const [key, operation] of Object.entries(OPERATIONS)) {
    if (operation.modes?.includes(mode) === false) continue;
    for (const viewer of VIEWER_NAMES) {
      for (const visibility of visibilitiesOf(operation, isSample ? index++ : null)) {
        yield [key, operation, { world, viewer, mode, visibility }] as const;
      }
    }
  }
}

/** `all`: every cell on PostgreSQL, too. */
const CELLS = process.env.TRIVIUM_TEST_MATRIX || 'sample';

describeEachBackend('the access matrix', (backend) => {
  // The rules are the same code, and their SQL has tests of its own: every operation × viewer, with one visibility.
  const isSample = backend.name === 'postgres' && CELLS !== 'all';

  it.each(MODES)('of a server in the mode %s has no hole', (mode) =>
    withApp(
      backend,
      async (app) => {
        app.services.logins.verify = async (password) => password === 'right';
        const routes = await routesOf(app);
        const ruled = new Set(Object.keys(ROUTES).map(nameOf));
        const unruled = routes
          .filter((name) => !ruled.has(name))
          .map((name) => `${name} ${ADVICE}`);
        expect(unruled).toEqual([]);
        const world = await makeWorld(app, mode);
        const cells = cellsOf(world, mode, isSample);
        const faults: string[] = [];
        let count = 0;
        const work = async () => {
          for (const [key, operation, facts] of cells) {
            count++;
            const fault = await tryCell(key, operation, facts);
            if (fault !== null) faults.push(fault);
          }
        };
        await Promise.all(Array.from({ length: AT_ONCE }, work));
        expect(faults).toEqual([]);
        expect(count).toBeGreaterThan(isSample ? 1000 : 2000);
      },
      {
        ...WITH_USERS,
        TRIVIUM_AUTH: mode,
        TRIVIUM_GRAPHIQL: 'on',
        TRIVIUM_RATE_REQUESTS: '0',
        TRIVIUM_QUOTA_UPLOADS: '0',
      },
    ),
  );
});
