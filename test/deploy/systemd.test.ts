import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { unknownSettings } from '../support/deploy.ts';

const UNIT = 'deploy/systemd/trivium.service';
const isAbsent = spawnSync('systemd-analyze', ['--version']).error !== undefined;
const reason = isAbsent ? ' (skipped: systemd-analyze is absent)' : '';

/** Runs systemd-analyze on a copy of the unit that starts the program here. Returns what it prints. */
async function analyze(verb: string, ...options: string[]): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'trivium-unit-'));
  try {
    const path = join(directory, 'trivium.service');
    const unit = await readFile(UNIT, 'utf8');
    await writeFile(path, unit.replaceAll('/opt/trivium', process.cwd()));
    const { stdout, stderr } = await promisify(execFile)('systemd-analyze', [
      verb,
      ...options,
      path,
    ]);
    return stdout + stderr;
  } finally {
    await rm(directory, { recursive: true });
  }
}

describe(`the unit of systemd${reason}`, () => {
  it.skipIf(isAbsent)('has no problem that systemd finds', async () => {
    expect(await analyze('verify')).toBe('');
  });

  it.skipIf(isAbsent)('is confined: an exposure of at most 2.5', async () => {
    // Fails above the threshold.
    expect(await analyze('security', '--offline=true', '--threshold=25')).toContain('exposure');
  });

  it('sets only settings that the server knows', async () => {
    const unit = await readFile(UNIT, 'utf8');
    const variables = Array.from(unit.matchAll(/^Environment=(\w+)=(.*)$/gm), ([, ...one]) => one);
    expect(variables.length).toBeGreaterThan(1);
    expect(unknownSettings(Object.fromEntries(variables))).toEqual([]);
  });
});
