import type { JobSight } from '../../src/store/job/sight.ts';
import { EVERYTHING, type Scope } from '../../src/store/scope.ts';

const LARGE = { subtrees: [{ id: 5, below: '/1/5/' }], owner: 'x' };
const SMALL = { subtrees: [{ id: 7, below: '/1/7/' }], owner: 'x' };

/** Scopes of each kind, over the folders 5, which has most media, and 7. */
export const SCOPES: Readonly<Record<string, Scope>> = {
  everything: EVERYTHING,
  'without a subtree': { ...EVERYTHING, excluding: [{ id: 7, below: '/1/7/' }] },
  public: { ...EVERYTHING, publicOnly: true },
  'without private media': { ...EVERYTHING, hiding: { exceptOf: null } },
  'without private media of others': { ...EVERYTHING, hiding: { exceptOf: 'b' } },
  'a large subtree': { ...EVERYTHING, within: LARGE },
  'a subtree in another': {
    ...EVERYTHING,
    within: { subtrees: [...SMALL.subtrees, { id: 1, below: '/1/' }], owner: 'x' },
  },
  'a small subtree, public': { ...EVERYTHING, publicOnly: true, within: SMALL },
};

/** Sights of each kind, of starters of jobs and of scopes. */
export const SIGHTS: Readonly<Record<string, JobSight>> = {
  'all jobs': null,
  'the jobs of a starter of few': sightOf('rare', EVERYTHING),
  'the jobs of a starter of many': sightOf('common', { ...EVERYTHING, within: SMALL }),
  'the jobs of a starter of few, and of media that are not private': sightOf('rare', {
    ...EVERYTHING,
    hiding: { exceptOf: 'b' },
  }),
  'the jobs of a large subtree': sightOf('none', { ...EVERYTHING, within: LARGE }),
  'the jobs of a small subtree, for an admin': {
    ...sightOf('none', { ...EVERYTHING, within: SMALL }),
    readsAll: true,
  },
};

function sightOf(startedBy: string, nodes: Scope) {
  return { startedBy, nodes, readsAll: false };
}
