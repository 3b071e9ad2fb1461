import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const text = readFileSync('SECURITY.md', 'utf8');

describe('SECURITY.md', () => {
  it('names files that exist', () => {
    const links = Array.from(text.matchAll(/\]\(([^)#]+)[^)]*\)/g), ([, path]) => path ?? '');
    const named = Array.from(
      text.matchAll(/`((?:test|src|docs)\/[^`*]+)`/g),
      ([, path]) => path ?? '',
    );
    expect([...links, ...named].filter((path) => !existsSync(path))).toEqual([]);
    expect(links.length).toBeGreaterThan(15);
  });

  it('names a test for each promise', () => {
    const table = text.split('## What is promised')[1]?.split('## ')[0] ?? '';
    const rows = table
      .split('\n')
      .filter((line) => /^\| [A-Z]/.test(line) && !line.includes('Tested in'));
    expect(rows.filter((row) => !/\]\(test\/.+\.test\.ts\) \|$/.test(row))).toEqual([]);
    expect(rows.length).toBeGreaterThan(15);
  });
});
