/**
 * STATE_DIR: can this user write there, may others look in, what waits in the spool. Creates no folder: it would belong
 * to whoever runs doctor. A probe file in a folder that exists is taken away at once.
 */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { access, open, readdir, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Finding, fail, pass, skip, text, warn } from '../finding.js';

const SPOOLED = '.sealed';

export async function checkStateDir(stateDir: string): Promise<readonly Finding[]> {
  const folder = await stat(stateDir).catch(codeOf);
  if (folder === 'ENOENT') return [await checkParent(stateDir)];
  if (typeof folder === 'string') return [unusable(stateDir, folder)];
  if (!folder.isDirectory()) return [unusable(stateDir, 'ENOTDIR')];
  const refused = await tryWriting(stateDir);
  if (refused !== null) return [unusable(stateDir, refused)];
  const mode = (folder.mode & 0o777).toString(8).padStart(4, '0');
  const isPrivate = (folder.mode & 0o077) === 0;
  const state = isPrivate
    ? pass('state_dir', text(`${stateDir} can be written, mode ${mode}`, `${stateDir} 可写，权限 ${mode}`))
    : warn(
        'state_dir',
        text(`${stateDir} is open to other users (mode ${mode})`, `${stateDir} 对其他用户开放（权限 ${mode}）`),
        text(
          `chmod 700 ${stateDir} (a start of the daemon does it, too)`,
          `chmod 700 ${stateDir}（守护进程启动时也会这样做）`,
        ),
      );
  return [state, await checkSpool(join(stateDir, 'spool'))];
}

/** The daemon will make it, if it may. */
async function checkParent(stateDir: string): Promise<Finding> {
  let parent = dirname(stateDir);
  while (parent !== dirname(parent) && (await stat(parent).catch(codeOf)) === 'ENOENT') parent = dirname(parent);
  const refused = await access(parent, constants.W_OK | constants.X_OK).then(() => null, codeOf);
  if (refused !== null) return unusable(stateDir, refused);
  return pass(
    'state_dir',
    text(`${stateDir} is not there yet; a start makes it`, `${stateDir} 还不存在，启动时会创建`),
  );
}

/** null, or why not. Permission bits say too little: a disk may be full or read-only. */
async function tryWriting(folder: string): Promise<string | null> {
  const probe = join(folder, `.doctor-${randomBytes(6).toString('hex')}`);
  try {
    const file = await open(probe, 'wx', 0o600);
    try {
      await file.writeFile('x');
    } finally {
      await file.close();
      await unlink(probe);
    }
    return null;
  } catch (error) {
    return codeOf(error);
  }
}

async function checkSpool(folder: string): Promise<Finding> {
  const names = await readdir(folder).catch(codeOf);
  if (names === 'ENOENT') return pass('spool', text('Nothing waits', '没有等待写回的内容'));
  if (typeof names === 'string') {
    const means = text(`${folder} cannot be looked into (${names})`, `无法查看 ${folder}（${names}）`);
    return skip('spool', means, text('Run doctor as the user of the daemon.', '请以守护进程的用户运行 doctor。'));
  }
  const waiting = names.filter((name) => name.endsWith(SPOOLED)).length;
  if (waiting === 0) return pass('spool', text('Nothing waits', '没有等待写回的内容'));
  return warn(
    'spool',
    text(`${waiting} token sets wait to be written to Redis`, `有 ${waiting} 份 token 等待写回 Redis`),
    text(
      'They are written as soon as the daemon runs and Redis takes them. Do not delete them: they are the only copy.',
      '守护进程运行且 Redis 可写后会自动写回。不要删除：这是唯一的副本。',
    ),
  );
}

const unusable = (stateDir: string, code: string): Finding =>
  fail(
    'state_dir',
    'configuration',
    text(`${stateDir} cannot be written (${code})`, `${stateDir} 不可写（${code}）`),
    text(
      'Name in STATE_DIR a folder of its own that the user of the daemon may write to.',
      '把 STATE_DIR 设为守护进程用户可写的专用目录。',
    ),
  );

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
