/**
 * Runs a built image as a container would be run by compose.yaml, on namespaces of the kernel alone: node as PID 1, the
 * image's user, no capabilities, no new privileges, a read-only root file system with a volume for the state, secrets as
 * files. Shares the network with this machine. Where the kernel gives no namespaces (a container without privileges) it
 * is the image's user on read-only code, which `isolation` says.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, cp, mkdir, mkdtemp, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Image } from './image.js';

export interface Container {
  readonly isolation: 'namespaces' | 'user only';
  /** What it has written to standard output and standard error. */
  output(): string;
  /** As `docker exec`: the same user, file system and environment. */
  exec(command: readonly string[]): Promise<{ readonly code: number | null; readonly output: string }>;
  /** To PID 1, as `docker stop` does. */
  signal(name: NodeJS.Signals): Promise<void>;
  exited(): Promise<number | null>;
  /** The volume as this machine sees it. */
  readonly stateFolder: string;
  close(): Promise<void>;
}

export interface RunOptions {
  readonly env: Readonly<Record<string, string>>;
  /** By file name in /run/secrets. */
  readonly secrets: Readonly<Record<string, string>>;
}

const EXIT_MS = 20_000;

/** Everything the process may see: /usr of this machine and the image's /app, all of it read-only. */
const ENTER = `
set -e
mount --make-rprivate /
mount -t tmpfs -o mode=755 none "$BOX"
cd "$BOX"
mkdir usr etc proc dev tmp app run run/secrets bin-node
mount --bind /usr usr; mount -o remount,bind,ro usr
mount --bind /etc etc; mount -o remount,bind,ro etc
for name in bin sbin lib lib64; do
  if [ -L "/$name" ]; then cp -a "/$name" .; elif [ -d "/$name" ]; then mkdir "$name"; mount --bind "/$name" "$name"; fi
done
mount --rbind /dev dev
mount -t proc none proc
mount -t tmpfs -o mode=1777 none tmp
mount --bind "$BOX_APP" app; mount -o remount,bind,ro app
mount --bind "$BOX_STATE" app/state
mount --bind "$BOX_SECRETS" run/secrets; mount -o remount,bind,ro run/secrets
touch bin-node/node; mount --bind "$BOX_NODE" bin-node/node
mount -o remount,ro "$BOX"
exec chroot "$BOX" "$@"
`;

/** A temporary folder every user may enter; the one `npm test` gives (TMPDIR) is for its own user. */
export async function folderForAll(prefix: string): Promise<string> {
  const folder = await mkdtemp(join('/tmp', prefix));
  await chmod(folder, 0o755);
  return folder;
}

/** Whoever may not make namespaces, or is not root, gets the reason. */
export function namespacesMissing(): string | null {
  const { status, stderr } = spawnSync('unshare', ['--mount', '--pid', '--fork', 'mount', '--make-rprivate', '/']);
  return status === 0 ? null : (stderr?.toString().trim() ?? 'no unshare(1)');
}

export async function runContainer(image: Image, { env, secrets }: RunOptions): Promise<Container> {
  const [uid, gid] = image.user.split(':').map(Number);
  if (!uid || !gid) throw new Error(`USER ${image.user} is no number, or root`);
  const folder = await folderForAll('authd-box-');
  const at = (name: string): string => join(folder, name);
  await mkdir(at('box'));
  await mkdir(at('secrets'));
  for (const [name, text] of Object.entries(secrets)) {
    await writeFile(join(at('secrets'), name), `${text}\n`, { mode: 0o400 });
    await chown(join(at('secrets'), name), uid, gid);
  }
  // A named volume starts as what the image has there, owner and mode included.
  const [volume = ''] = image.volumes;
  await cp(join(image.root, volume), at('state'), { recursive: true });
  await chown(at('state'), uid, gid);
  await chmod(at('state'), 0o700);

  const isolated = namespacesMissing() === null;
  const node = process.execPath;
  const appEnv: Record<string, string> = {
    PATH: isolated ? '/bin-node:/usr/bin:/bin' : `${dirname(node)}:/usr/bin:/bin`,
    HOME: '/tmp',
    ...image.env,
    ...env,
    ...(isolated ? {} : { STATE_DIR: at('state') }),
  };
  for (const name of Object.keys(secrets)) {
    appEnv[`${name.toUpperCase()}_FILE`] = join(isolated ? '/run/secrets' : at('secrets'), name);
  }
  const box = {
    ...{ BOX: at('box'), BOX_APP: join(image.root, 'app'), BOX_STATE: at('state'), BOX_SECRETS: at('secrets') },
    ...{ BOX_NODE: node, PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
  };
  const asUser = [
    ...['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', '--no-new-privs'],
    ...['--inh-caps=-all', '--bounding-set=-all'],
    ...['env', '-i', '-C', image.workdir],
    ...Object.entries(appEnv).map(([name, value]) => `${name}=${value}`),
  ];
  const unshare = ['unshare', '--mount', '--pid', '--fork', 'sh', '-c', ENTER, 'sh', ...asUser];

  const start = (words: readonly string[]): ChildProcess => {
    const [command = '', ...args] = words;
    return spawn(command, args, { env: box, stdio: ['ignore', 'pipe', 'pipe'] });
  };
  const startAsUser = ([command = '', ...args]: readonly string[]): ChildProcess =>
    spawn(command, args, {
      env: appEnv,
      cwd: join(image.root, image.workdir),
      uid,
      gid,
      stdio: ['ignore', 'pipe', 'pipe'],
    });

  const main = [...image.entrypoint, ...image.cmd];
  const child = isolated ? start([...unshare, ...main]) : startAsUser(main);
  const output = collect(child);
  const exit = once(child, 'exit').then(([code]) => code as number | null);
  const init = async (): Promise<number> => {
    if (!isolated) return child.pid ?? 0;
    // Until its root is the box, the shell that builds the box is PID 1.
    for (let attempt = 0; attempt < 100; attempt += 1) {
      const children = await readFile(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').catch(() => '');
      const pid = Number(children.trim().split(' ')[0]);
      if (pid > 0 && (await readlink(`/proc/${pid}/root`).catch(() => '/')) !== '/') return pid;
      await sleep(50);
    }
    throw new Error(`the box was not entered:\n${output()}`);
  };

  return {
    isolation: isolated ? 'namespaces' : 'user only',
    output,
    async exec(command) {
      const target = ['nsenter', `--target=${await init()}`, '--mount', '--pid', '--root'];
      const other = isolated ? start([...target, ...asUser, ...command]) : startAsUser(command);
      const said = collect(other);
      const [code] = await once(other, 'close');
      return { code: code as number | null, output: said() };
    },
    async signal(name) {
      process.kill(await init(), name);
    },
    async exited() {
      const late = new Promise<never>((_, reject) => {
        setTimeout(() => reject(new Error(`still running after ${EXIT_MS} ms:\n${output()}`)), EXIT_MS).unref();
      });
      return await Promise.race([exit, late]);
    },
    stateFolder: at('state'),
    async close() {
      if (child.exitCode === null && child.signalCode === null) {
        // With PID 1 the whole namespace ends. (unshare's --kill-child does not survive the change of user.)
        const pid = await init().catch(() => null);
        if (pid !== null) process.kill(pid, 'SIGKILL');
        else child.kill('SIGKILL');
        await exit;
      }
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function collect(child: ChildProcess): () => string {
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
  }
  return () => text;
}
