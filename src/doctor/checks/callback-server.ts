/** The callback server of this very configuration on this machine. Before the daemon's first start there is none. */
import type { Reply } from '../ask-once.js';
import { type Finding, fail, pass, skip, text } from '../finding.js';

/** `silent`: nobody is there yet, which explains whatever else does not answer. */
export type LocalServer = 'up' | 'silent' | 'elsewhere' | 'wrong';

export interface CallbackServerCheck {
  /** Without a path. null: its port is 0. */
  readonly address: string | null;
  /** CALLBACK_SERVER_ENABLED and the role api. */
  readonly isHere: boolean;
  readonly reply: Reply | null;
  /** A daemon of this machine answers on its API: then this must, too. */
  readonly daemonRuns: boolean;
}

export interface CallbackServerResult {
  readonly finding: Finding;
  readonly local: LocalServer;
}

export const START = text(
  'Start the daemon (feishu-authd start), then run doctor again.',
  '启动守护进程（feishu-authd start），再运行 doctor。',
);

export function checkCallbackServer({ address, daemonRuns, isHere, reply }: CallbackServerCheck): CallbackServerResult {
  if (!isHere) {
    const means = text(
      'None in the process of this configuration (ROLES without api, or CALLBACK_SERVER_ENABLED=false)',
      '这份配置的进程没有回调服务器（ROLES 不含 api，或 CALLBACK_SERVER_ENABLED=false）',
    );
    return { finding: skip('callback_server', means), local: 'elsewhere' };
  }
  if (address === null || reply === null) {
    const means = text(
      'Only the daemon knows its port (CALLBACK_SERVER_PORT is 0)',
      '端口只有守护进程知道（CALLBACK_SERVER_PORT 为 0）',
    );
    return { finding: skip('callback_server', means), local: 'elsewhere' };
  }
  if (reply.kind === 'answer') {
    if (reply.isOurs) {
      const means = text(`The callback server at ${address} answers`, `${address} 的回调服务器正常回答`);
      return { finding: pass('callback_server', means), local: 'up' };
    }
    const means = text(
      `What answers at ${address} is not the callback server (HTTP ${reply.status})`,
      `${address} 上回答的不是回调服务器（HTTP ${reply.status}）`,
    );
    const remedy = text(
      'Another program has this port: choose another CALLBACK_SERVER_PORT, or stop that program.',
      '该端口被别的程序占用：换一个 CALLBACK_SERVER_PORT，或停掉那个程序。',
    );
    return { finding: fail('callback_server', 'configuration', means, remedy), local: 'wrong' };
  }
  const means = text(
    `No callback server answers at ${address} (${reply.code})`,
    `${address} 没有回调服务器回答（${reply.code}）`,
  );
  if (!daemonRuns) return { finding: skip('callback_server', means, START), local: 'silent' };
  const remedy = text(
    'The daemon runs without it: was it started with this configuration (CALLBACK_SERVER_ENABLED, _HOST, _PORT)? Restart it, and look at its log.',
    '守护进程在运行，却没有它：守护进程启动时用的是这份配置吗（CALLBACK_SERVER_ENABLED、_HOST、_PORT）？请重启并查看日志。',
  );
  return { finding: fail('callback_server', 'network', means, remedy), local: 'wrong' };
}
