/** The daemon that runs at AUTHD_URL: what its /readyz says. Before its first start there is none, and that is no fault. */
import { objectOf, textOf } from '../../domain/json-fields.js';
import { cleanName } from '../../domain/plain-text.js';
import { either } from '../fallbacks.js';
import type { FetchedText } from '../fetch-text.js';
import { type Finding, fail, pass, skip, type Text, text, warn } from '../finding.js';

export interface DaemonCheck {
  readonly url: string;
  readonly readyz: FetchedText;
  /** A user is to be asked through it: then it must be there. */
  readonly needed: boolean;
  /** What helps where the long connection of an app does not come up; null: the app is not known here. */
  readonly instead: (appId: string) => Text | null;
}

const START = text(
  'Start it (feishu-authd start), or name its address in AUTHD_URL.',
  '启动它（feishu-authd start），或在 AUTHD_URL 里指明它的地址。',
);
const LOOK = text('Look at its log; the lines above may say why.', '查看它的日志；上面的检查可能已说明原因。');
const NO_WEBSOCKET = text(
  'If its line on the long connection passes, the network may let HTTPS through but no WebSocket.',
  '若「长连接」一行通过，可能是网络放行 HTTPS 却不放行 WebSocket。',
);

const MAX_DETAIL = 200;

export function checkDaemon({ instead, needed, readyz, url }: DaemonCheck): Finding {
  if (!readyz.ok) {
    const means = text(`No daemon answers at ${url} (${readyz.code})`, `${url} 没有守护进程回答（${readyz.code}）`);
    return needed ? fail('daemon', 'network', means, START) : skip('daemon', means, START);
  }
  const report = objectOf(parse(readyz.text));
  const status = textOf(report['status']);
  if (status === null) {
    const means = text(
      `What answers at ${url} is no feishu-authd (HTTP ${readyz.status})`,
      `${url} 上回答的不是 feishu-authd（HTTP ${readyz.status}）`,
    );
    return needed ? fail('daemon', 'network', means, START) : warn('daemon', means, START);
  }
  if (status === 'ready') return pass('daemon', text(`The daemon at ${url} is ready`, `${url} 的守护进程就绪`));
  const parts = Array.isArray(report['parts']) ? report['parts'].map(objectOf) : [];
  const trouble = parts
    .filter((part) => part['ok'] === false)
    .map((part) => {
      const app = textOf(part['app_id']);
      return `${String(part['part'])}${app === null ? '' : ` ${app}`}: ${String(part['detail'])}`;
    })
    .map((line) => cleanName(line, MAX_DETAIL))
    .join('; ');
  const means = text(`The daemon at ${url} is ${status}: ${trouble}`, `${url} 的守护进程为 ${status}：${trouble}`);
  const unconnected = parts.find(({ ok, part }) => part === 'long_connection' && ok === false);
  const fallback = unconnected === undefined ? null : instead(String(unconnected['app_id']));
  return warn('daemon', means, fallback === null ? LOOK : either(LOOK, either(NO_WEBSOCKET, fallback)));
}

/** Some daemon, ready or not. */
export const isDaemon = (readyz: FetchedText): boolean =>
  readyz.ok && textOf(objectOf(parse(readyz.text))['status']) !== null;

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}
