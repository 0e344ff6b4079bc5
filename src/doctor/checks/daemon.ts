/** The daemon that runs at AUTHD_URL: what its /readyz says. Before its first start there is none, and that is no fault. */
import { objectOf, textOf } from '../../domain/json-fields.js';
import { cleanName } from '../../domain/plain-text.js';
import type { FetchedText } from '../fetch-text.js';
import { type Finding, fail, pass, skip, text, warn } from '../finding.js';

export interface DaemonCheck {
  readonly url: string;
  readonly readyz: FetchedText;
  /** A user is to be asked through it: then it must be there. */
  readonly needed: boolean;
}

const START = text(
  'Start it (feishu-authd start), or name its address in AUTHD_URL.',
  '启动它（feishu-authd start），或在 AUTHD_URL 里指明它的地址。',
);
const LOOK = text('Look at its log; the lines above may say why.', '查看它的日志；上面的检查可能已说明原因。');

const MAX_DETAIL = 200;

export function checkDaemon({ needed, readyz, url }: DaemonCheck): Finding {
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
  return warn('daemon', means, LOOK);
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}
