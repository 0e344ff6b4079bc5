/**
 * Does what `docker build` would do with the Dockerfile, in a clean folder and with the very same commands: each stage
 * is a folder, COPY copies what .dockerignore lets through, RUN runs in the shell. The base image is this machine.
 */
import { spawn } from 'node:child_process';
import { cp, mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { assignments, type Dockerfile, execForm, type Instruction, type Stage, substitute } from './dockerfile.js';

export interface Image {
  /** The folder that stands for `/`. */
  readonly root: string;
  readonly env: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly workdir: string;
  readonly user: string;
  readonly volumes: readonly string[];
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  readonly healthcheck: readonly string[];
}

interface Building {
  readonly root: string;
  readonly values: Record<string, string>;
  readonly env: Record<string, string>;
  readonly labels: Record<string, string>;
  readonly volumes: string[];
  workdir: string;
  user: string;
  entrypoint: string[];
  cmd: string[];
  healthcheck: string[];
}

export interface BuildOptions {
  /** The folder with the sources and .dockerignore. */
  readonly context: string;
  /** An empty folder. */
  readonly into: string;
  readonly buildArgs?: Readonly<Record<string, string>>;
}

export async function buildImage(dockerfile: Dockerfile, options: BuildOptions): Promise<Image> {
  const roots = new Map<string, string>();
  let image: Building | undefined;
  for (const [index, stage] of dockerfile.stages.entries()) {
    const root = join(options.into, `stage-${index}`);
    roots.set(stage.name, root);
    image = await buildStage(stage, root, roots, options);
  }
  if (image === undefined) throw new Error('the Dockerfile has no stage');
  return image;
}

async function buildStage(
  stage: Stage,
  root: string,
  roots: ReadonlyMap<string, string>,
  options: BuildOptions,
): Promise<Building> {
  await mkdir(root);
  const lists = { volumes: [], entrypoint: [], cmd: [], healthcheck: [] };
  const building: Building = { root, values: {}, env: {}, labels: {}, workdir: '/', user: '0:0', ...lists };
  for (const instruction of stage.instructions) await apply(instruction, building, roots, options);
  return building;
}

async function apply(
  { flags, keyword, text }: Instruction,
  image: Building,
  roots: ReadonlyMap<string, string>,
  { buildArgs = {}, context }: BuildOptions,
): Promise<void> {
  switch (keyword) {
    case 'ARG':
      for (const [name, value] of Object.entries(assignments(text))) image.values[name] = buildArgs[name] ?? value;
      return;
    case 'ENV':
      Object.assign(image.env, assignments(substitute(text, image.values)));
      Object.assign(image.values, image.env);
      return;
    case 'LABEL':
      Object.assign(image.labels, assignments(substitute(text, image.values)));
      return;
    case 'WORKDIR':
      image.workdir = text;
      await mkdir(join(image.root, text), { recursive: true });
      return;
    case 'COPY': {
      const { from } = flags;
      const source = from === undefined ? context : roots.get(from);
      if (source === undefined) throw new Error(`COPY --from=${from}: no such stage`);
      await copy(text.split(/\s+/), image, source, from === undefined ? await ignoredIn(context) : () => false);
      return;
    }
    case 'RUN':
      await run(text, image);
      return;
    case 'USER':
      image.user = text;
      return;
    case 'VOLUME':
      image.volumes.push(...(execForm(text) ?? [text]));
      return;
    case 'ENTRYPOINT':
      image.entrypoint = exec(text);
      return;
    case 'CMD':
      image.cmd = exec(text);
      return;
    case 'HEALTHCHECK':
      image.healthcheck = exec(text.replace(/^CMD\s+/, ''));
      return;
    case 'EXPOSE':
    case 'FROM':
      return;
  }
}

function exec(text: string): string[] {
  const words = execForm(text);
  if (words === null) throw new Error(`a shell would be PID 1: ${text}`);
  return words;
}

async function copy(
  words: readonly string[],
  image: Building,
  source: string,
  ignored: (top: string) => boolean,
): Promise<void> {
  const target = join(image.root, image.workdir, words.at(-1) ?? '');
  for (const word of words.slice(0, -1)) {
    if (ignored(word.split('/')[0] ?? '')) throw new Error(`COPY ${word}: .dockerignore keeps it out`);
    const from = join(source, word);
    const isFolder = (await stat(from)).isDirectory();
    const into = isFolder ? target : join(target, basename(word));
    await mkdir(dirname(into), { recursive: true });
    // verbatimSymlinks: node_modules/.bin must not point to where it was built.
    await cp(from, into, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
  }
}

/** The shape of our .dockerignore: everything is out, then single names of the first level are let in. */
async function ignoredIn(context: string): Promise<(top: string) => boolean> {
  const lines = (await readFile(join(context, '.dockerignore'), 'utf8'))
    .split('\n')
    .filter((line) => !/^(#|$)/.test(line));
  const [first, ...rest] = lines;
  if (first !== '*' || rest.some((line) => !/^![\w.-]+$/.test(line)))
    throw new Error('.dockerignore has another shape');
  const letIn = new Set(rest.map((line) => line.slice(1)));
  return (top) => !letIn.has(top);
}

/** Absolute paths would leave the folder. */
async function run(command: string, image: Building): Promise<void> {
  if (/(^|[\s=:"'])\/(?!\/)/.test(command)) throw new Error(`RUN names an absolute path: ${command}`);
  const home = join(image.root, 'root');
  await mkdir(home, { recursive: true });
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: home,
    ...image.values,
    // What is there already is not fetched again; a machine that has nothing fetches everything.
    npm_config_cache: process.env['npm_config_cache'] ?? join(homedir(), '.npm'),
    npm_config_prefer_offline: 'true',
    npm_config_fetch_retries: '1',
  };
  const child = spawn('sh', ['-c', command], {
    cwd: join(image.root, image.workdir),
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 120_000,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`RUN ${command} ended with ${code}:\n${output.slice(-2_000)}`));
    });
  });
}

/** Names directly inside a folder of the image. */
export const filesAt = async (image: Pick<Image, 'root'>, path: string): Promise<string[]> =>
  (await readdir(join(image.root, path))).sort();
