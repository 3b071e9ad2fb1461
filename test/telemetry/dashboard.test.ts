import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { withApp } from '../support/app.ts';
import { BACKENDS } from '../support/backend.ts';
import { metricsOf } from '../support/metrics.ts';

interface Panel {
  id: number;
  type: string;
  title: string;
  gridPos: { h: number; w: number; x: number; y: number };
  datasource?: { type: string; uid: string };
  targets?: { refId: string; expr: string }[];
}

interface Dashboard {
  uid: string;
  title: string;
  schemaVersion: number;
  templating: { list: { name: string; type: string; definition?: string }[] };
  panels: Panel[];
}

const dashboard: Dashboard = JSON.parse(await readFile('deploy/grafana.json', 'utf8'));
const queries = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
const definitions = dashboard.templating.list.flatMap(({ definition }) => definition ?? []);

/** Returns the names of the metrics in a query: whatever is followed by a selector, or is asked for its labels. */
function metricNames(query: string): string[] {
  const selected = query.matchAll(/([a-zA-Z_]\w*)\{/g);
  const listed = query.matchAll(/label_values\((\w+),/g);
  return [...selected, ...listed].map(([, name = '']) => name);
}

/** Returns the names of the labels by which a query groups, and of those that it selects. */
function labelNames(query: string): string[] {
  const grouped = [...query.matchAll(/by \(([^)]*)\)/g)].flatMap(([, list = '']) =>
    list.split(',').map((name) => name.trim()),
  );
  const selected = [...query.matchAll(/[{,](\w+)=~?"/g)].map(([, name = '']) => name);
  return [...grouped, ...selected];
}

describe('the dashboard of Grafana', () => {
  it('shows only metrics that a server has', () =>
    withApp(BACKENDS[0]!, async (app) => {
      const { names } = await metricsOf(app);
      const asked = new Set([...queries, ...definitions].flatMap(metricNames));
      expect(asked.size).toBeGreaterThan(20);
      const isKnown = (name: string) =>
        names.has(name) || names.has(name.replace(/_(bucket|sum|count)$/, ''));
      expect([...asked].filter((name) => !isKnown(name))).toEqual([]);
    }));

  it('shows every metric of this server', () =>
    withApp(BACKENDS[0]!, async (app) => {
      const { names } = await metricsOf(app);
      const own = [...names].filter((name) => name.startsWith('trivium_'));
      expect(own.filter((name) => !queries.some((query) => query.includes(name)))).toEqual([]);
    }));

  it('groups and selects only by labels that exist', () => {
    const known = ['le', 'instance', 'dialect', 'status', 'type', 'limit', 'kind', 'state'];
    const others = ['class', 'outcome', 'step', 'result', 'cause', 'store', 'call'];
    const asked = new Set(queries.flatMap(labelNames));
    expect([...asked].filter((name) => ![...known, ...others].includes(name))).toEqual([]);
  });

  it('has the shape that Grafana expects', () => {
    expect(dashboard).toMatchObject({ uid: 'trivium', title: 'Trivium' });
    expect(dashboard.schemaVersion).toBeGreaterThanOrEqual(36);
    const ids = dashboard.panels.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { type, title, gridPos, datasource, targets = [] } of dashboard.panels) {
      expect(title).not.toBe('');
      expect(['row', 'timeseries']).toContain(type);
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
      expect(targets.length > 0).toBe(type === 'timeseries');
      if (type === 'timeseries') {
        expect(datasource).toEqual({ type: 'prometheus', uid: `\${datasource}` });
      }
      expect(new Set(targets.map(({ refId }) => refId)).size).toBe(targets.length);
    }
  });

  it('has queries whose brackets match, and no two panels in one place', () => {
    for (const query of [...queries, ...definitions]) {
      expect([query, isBalanced(query)]).toEqual([query, true]);
    }
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)} ${y + Math.floor(cell / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
  });
});

function isBalanced(text: string): boolean {
  const open: string[] = [];
  const pairs: Record<string, string> = { ')': '(', '}': '{', ']': '[' };
  for (const character of text.replace(/"[^"]*"/g, '')) {
    if ('({['.includes(character)) open.push(character);
    else if (character in pairs && open.pop() !== pairs[character]) return false;
  }
  return open.length === 0;
}
