import { execFile } from 'node:child_process';
import { globSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { Deployment } from 'kubernetes-types/apps/v1.js';
import type { ConfigMap, Secret, Service } from 'kubernetes-types/core/v1.js';
import type { Ingress } from 'kubernetes-types/networking/v1.js';
import { describe, expect, it } from 'vitest';
import { readYaml, unknownSettings } from '../support/deploy.ts';

interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string };
}

const manifests = globSync('deploy/kubernetes/**/*.yaml').flatMap(readYaml) as Manifest[];
const find = <T>(kind: string) => manifests.find((one) => one.kind === kind) as T;

/** Returns the module of kubernetes-types that describes an API: `networking/v1` for `networking.k8s.io/v1`. */
function typesOf(apiVersion: string): string {
  const module = apiVersion.includes('/')
    ? apiVersion.replace('.k8s.io', '')
    : `core/${apiVersion}`;
  return resolve('node_modules/kubernetes-types', `${module}.d.ts`);
}

/** Writes a manifest as a constant of its type. */
function toConstant({ apiVersion, ...rest }: Manifest, index: number): string {
  const type = `import(${JSON.stringify(typesOf(apiVersion))}).${rest.kind}`;
  return `export const manifest${index}: ${type} = ${JSON.stringify({ apiVersion, ...rest })};`;
}

/** Returns the problems that the compiler finds in a program, one a line. */
async function compile(program: string): Promise<string[]> {
  const directory = await mkdtemp(join(tmpdir(), 'trivium-kubernetes-'));
  const file = join(directory, 'manifest.ts');
  const options = ['--noEmit', '--strict', '--ignoreConfig', '--skipLibCheck', '--lib', 'es2022'];
  try {
    await writeFile(file, program);
    const tsc = ['node_modules/typescript/bin/tsc', ...options, '--types', '', file];
    await promisify(execFile)(process.execPath, tsc);
    return [];
  } catch (error) {
    const { stdout } = error as { stdout: string };
    return stdout.split('\n').filter((line) => line.includes('error'));
  } finally {
    await rm(directory, { recursive: true });
  }
}

describe('deploy/kubernetes', () => {
  it('has only fields that the API of Kubernetes knows, with values of their types', async () => {
    expect(manifests.length).toBeGreaterThan(6);
    // Shows that the compiler looks: its only complaint must be about this one.
    const wrong = { ...find<Manifest>('Service'), spec: { selektor: {} } };
    const problems = await compile([...manifests, wrong].map(toConstant).join('\n'));
    expect(problems).toEqual([expect.stringContaining('selektor')]);
  });

  it('gives the server settings that it knows and accepts', () => {
    const secret = Object.entries(find<Secret>('Secret').stringData!);
    const filled = secret.map(([name, value]) => [
      name,
      value === 'REPLACE' ? 'c2e1f0b7a4d93856c2e1f0b7a4d93856d7b09a4e5c3f1826' : value,
    ]);
    const { data } = find<ConfigMap>('ConfigMap');
    expect(unknownSettings({ ...data, ...Object.fromEntries(filled) })).toEqual([]);
  });

  it('has manifests that refer to each other', () => {
    const { selector, template } = find<Deployment>('Deployment').spec!;
    const [container] = template.spec!.containers;
    const { labels } = template.metadata!;
    expect(labels).toMatchObject(selector.matchLabels!);
    expect(labels).toMatchObject(find<Service>('Service').spec!.selector!);
    const ports = container!.ports!.map(({ name }) => name);
    expect(ports).toContain(find<Service>('Service').spec!.ports![0]!.targetPort);
    const [rule] = find<Ingress>('Ingress').spec!.rules!;
    expect(rule!.http!.paths[0]!.backend.service).toEqual({
      name: 'trivium',
      port: { name: 'http' },
    });
    const sources = container!.envFrom!.map((from) => (from.configMapRef ?? from.secretRef)!.name);
    expect(sources).toEqual([
      find<ConfigMap>('ConfigMap').metadata!.name,
      find<Secret>('Secret').metadata!.name,
    ]);
    const volumes = template.spec!.volumes!.map(({ name }) => name);
    expect(container!.volumeMounts!.map(({ name }) => name)).toEqual(volumes);
  });
});
