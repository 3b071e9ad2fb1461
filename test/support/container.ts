import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, cpSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { DockerfileParser, type Instruction, type JSONInstruction } from 'dockerfile-ast';

/** A stage of a Dockerfile, built in a directory: what its instructions have set so far. */
interface Stage {
  /** Overlay of the base image. */
  directory: string;
  environment: Record<string, string>;
  user: string;
  workdir: string;
}

/** A built image. */
export interface Image extends Stage {
  entrypoint: string[];
  command: string[];
  /** The command of the health check. */
  health: string[];
}

/** Arguments of a container: what `docker run` would say. */
export interface Container {
  command: readonly string[];
  environment?: Readonly<Record<string, string>>;
  /** Directory that is mounted at `/data`. The root file system is then read-only, and `/tmp` is empty. */
  data?: string;
}

/**
 * Builds the Dockerfile of this repository without a container engine: each stage is an overlay of `base`, a directory
 * with the content of the base image, in which `RUN` runs as in a container. Needs root. Supports the instructions that
 * the Dockerfile uses, and throws for others.
 */
export async function buildImage(base: string, scratch: string): Promise<Image> {
  const stages = new Map<string, Image>();
  let stage: Image | undefined;
  const dockerfile = DockerfileParser.parse(readFileSync('Dockerfile', 'utf8'));
  for (const instruction of dockerfile.getInstructions()) {
    if (instruction.getKeyword() === 'FROM') {
      const [, , name = 'final'] = argumentsOf(instruction);
      stage = createStage(join(scratch, name));
      stages.set(name, stage);
    } else if (stage !== undefined) await apply(instruction, stage, { base, stages });
  }
  return stage!;
}

function createStage(directory: string): Image {
  for (const part of ['upper', 'work', 'root'])
    mkdirSync(join(directory, part), { recursive: true });
  const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
  const nothing = { entrypoint: [], command: [], health: [] };
  return { directory, environment: { PATH: path }, user: '0:0', workdir: '/', ...nothing };
}

interface Builder {
  base: string;
  stages: ReadonlyMap<string, Stage>;
}

async function apply(instruction: Instruction, stage: Image, builder: Builder): Promise<void> {
  const keyword = instruction.getKeyword();
  const parts = argumentsOf(instruction);
  if (keyword === 'ARG' || keyword === 'ENV') Object.assign(stage.environment, toVariables(parts));
  else if (keyword === 'WORKDIR') stage.workdir = parts[0]!;
  else if (keyword === 'USER') stage.user = parts[0] === 'node' ? '1000:1000' : parts[0]!;
  else if (keyword === 'COPY') copy(instruction, stage, builder.stages);
  else if (keyword === 'RUN') await runStep(instruction, stage, builder.base);
  else if (keyword === 'ENTRYPOINT') stage.entrypoint = strings(instruction);
  else if (keyword === 'CMD') stage.command = strings(instruction);
  else if (keyword === 'HEALTHCHECK') {
    stage.health = JSON.parse(instruction.getArgumentsContent()!.replace(/^[^[]*/, ''));
  } else if (!['VOLUME', 'EXPOSE'].includes(keyword))
    throw new Error(`${keyword} is not supported`);
}

function argumentsOf(instruction: Instruction): string[] {
  return instruction.getArguments().map((one) => one.getValue());
}

function strings(instruction: Instruction): string[] {
  return (instruction as JSONInstruction).getJSONStrings().map((one) => JSON.parse(one.getValue()));
}

function toVariables(parts: readonly string[]): Record<string, string> {
  return Object.fromEntries(parts.map((part) => part.split('=') as [string, string]));
}

/** Copies from this repository, or from another stage with `--from`, as root. */
function copy(instruction: Instruction, stage: Stage, stages: Builder['stages']): void {
  const [from] = /--from=\w+/.exec(instruction.getTextContent()) ?? [];
  const parts = argumentsOf(instruction).filter((part) => !part.startsWith('--'));
  const target = join(stage.directory, 'upper', stage.workdir, parts.pop()!);
  mkdirSync(dirname(join(target, 'x')), { recursive: true });
  for (const part of parts) {
    const isFile = from === undefined && part !== 'src';
    const source = from ? join(stages.get(from.slice(7))!.directory, 'upper', part) : part;
    if (isFile) copyFileSync(source, join(target, part));
    else cpSync(source, target, { recursive: true, verbatimSymlinks: true });
  }
  execFileSync('chown', ['-R', '0:0', target]);
}

async function runStep(instruction: Instruction, stage: Stage, base: string): Promise<void> {
  const script = instruction.getArgumentsContent()!.replace(/\\\n/g, '');
  const child = enter(stage, base, { command: ['sh', '-c', script] });
  const [errors, output] = [text(child.stderr!), text(child.stdout!)];
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`RUN ${script}\n${await output}${await errors}`);
}

/**
 * Starts a command in a stage, with the user, the directory and the environment that the stage has. SIGTERM to
 * `firstProcess` stops it.
 */
export function enter(stage: Stage, base: string, container: Container): ChildProcess {
  const data = container.data ?? '';
  const namespaces = ['--mount', '--pid', '--fork', '--kill-child', '--propagation=private'];
  const args = [base, stage.directory, data, ...asUser(stage, data !== ''), ...container.command];
  return spawn('unshare', [...namespaces, 'sh', '-euc', MOUNT, 'sh', ...args], {
    env: { ...inherited(), ...stage.environment, ...container.environment },
  });
}

/** Runs a command in the container of a process, as `docker exec` does. Throws if it fails. */
export async function execute(
  stage: Stage,
  pid: number,
  { command, environment }: Container,
): Promise<void> {
  const inside = [`--target=${pid}`, '--mount', '--pid', '--root', ...asUser(stage, true)];
  await promisify(execFile)('nsenter', [...inside, ...command], {
    env: { ...stage.environment, ...environment },
  });
}

/** Returns the first process in the container of a child that `enter` has started. */
export function firstProcess({ pid }: ChildProcess): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8'));
}

/** Returns the command that runs another as the user of a stage, in its directory, `isConfined`: without capabilities. */
function asUser({ user, workdir }: Stage, isConfined: boolean): string[] {
  const [uid, gid] = user.split(':');
  const confined = isConfined ? ['--bounding-set=-all', '--no-new-privs'] : [];
  const identity = [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'];
  return ['setpriv', ...identity, ...confined, 'sh', '-c', 'cd "$0" && exec "$@"', workdir];
}

/** What a build needs of this machine's environment to reach registries. */
function inherited(): Record<string, string> {
  const names = ['NODE_EXTRA_CA_CERTS', 'NPM_CONFIG_REGISTRY'];
  return Object.fromEntries(
    names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])),
  );
}

/** Mounts the base, below what the stage has added; with data, as a read-only root. */
const MOUNT = `
base=$1; stage=$2; data=$3; shift 3
root=$stage/root
mount -t overlay overlay -o "lowerdir=$base,upperdir=$stage/upper,workdir=$stage/work" "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
if [ -n "$data" ]; then
  mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
  mount --bind "$data" "$root/data"
  mount -o remount,ro "$root"
fi
exec chroot "$root" "$@"
`;
