import { readFileSync } from 'node:fs';
import { DockerfileParser } from 'dockerfile-ast';
import { validate } from 'dockerfile-utils';
import { describe, expect, it } from 'vitest';
import { unknownSettings } from '../support/deploy.ts';

const text = readFileSync('Dockerfile', 'utf8');
const dockerfile = DockerfileParser.parse(text);
const instructions = dockerfile.getInstructions();

/** Returns the arguments of the last instruction with this keyword: those of the image. */
function last(keyword: string): string | null | undefined {
  return instructions.findLast((one) => one.getKeyword() === keyword)?.getArgumentsContent();
}

describe('the Dockerfile', () => {
  it('has no problem that a linter finds', () => {
    expect(validate(text).map(({ message }) => message)).toEqual([]);
  });

  it('runs the server as a user that is not root, named by numbers', () => {
    const isFinal = (keyword: string) =>
      instructions.findLastIndex((one) => one.getKeyword() === keyword);
    expect(last('USER')).toMatch(/^[1-9]\d*:[1-9]\d*$/);
    expect(isFinal('USER')).toBeGreaterThan(isFinal('FROM'));
    expect(isFinal('USER')).toBeGreaterThan(isFinal('RUN'));
  });

  it('copies into the context only what it uses: no data, key or backup', () => {
    const ignored = readFileSync('.dockerignore', 'utf8').split('\n');
    const rules = ignored.filter((line) => line !== '' && !line.startsWith('#'));
    const copied = dockerfile
      .getCOPYs()
      .filter((copy) => copy.getFromFlag() === null)
      .flatMap((copy) => copy.getArguments().slice(0, -1).map(String));
    expect(rules).toEqual(['*', ...copied.sort().map((path) => `!${path}`)]);
  });

  it('installs from the configured registry, without development packages', () => {
    expect(text).toContain('npm ci --omit=dev');
    expect(text.replace(/'http:\/\/127[^']*'|`http:\/\/127[^`]*`/g, '')).not.toContain('://');
  });

  it('sets only settings that the server knows', () => {
    const properties = dockerfile.getENVs().flatMap((env) => env.getProperties());
    const variables = properties.map((one) => [one.getName(), one.getValue() ?? '']);
    expect(variables.length).toBeGreaterThan(2);
    expect(unknownSettings(Object.fromEntries(variables))).toEqual([]);
  });
});
