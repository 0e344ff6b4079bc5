/** A call to Feishu that gave nothing usable, as a line: refused, busy, or nobody there. */
import type { FeishuError } from '../domain/feishu-error.js';
import { type CheckName, type Facts, type Finding, fail, type Text, text, warn } from './finding.js';
import type { CodeMeaning, CodePlace, Explain } from './meanings.js';

const UNKNOWN: CodeMeaning = {
  cause: text('Feishu refuses with a code feishu-authd does not know', '飞书拒绝了请求，错误码 feishu-authd 不认识'),
  remedy: text(
    "Look the code up in Feishu's list of error codes; its support can look up the log id.",
    '在飞书的错误码列表里查询；可把日志号提供给飞书客服。',
  ),
};

export const RUN_AGAIN: Text = text('Run doctor again in a minute.', '过一分钟再运行一次 doctor。');

export const CHECK_WAY: Text = text(
  'Check the network between this machine and Feishu; a portal or proxy may answer in its place.',
  '检查本机到飞书的网络；可能有门户或代理冒充飞书回答。',
);

/** A final refusal by Feishu's code, or by the RFC's `error` where there is no code. */
export function refusal(
  check: CheckName,
  code: string | null,
  where: { readonly explain: Explain; readonly places: readonly CodePlace[] },
  facts: Facts,
): Finding {
  const meaning = meaningOf(code, where) ?? UNKNOWN;
  const { cause } = meaning;
  // Feishu's numbers are shown beside every line; a name is not.
  const named = facts.feishuCode == null && code !== null;
  const means = named ? text(`${cause.en} (${code})`, `${cause.zh}（${code}）`) : cause;
  return fail(check, 'refused', means, meaning.remedy, facts);
}

/** What a failed call says. `refused` is final; a code that passes is a warning: nothing is known then. */
export function callFinding(
  check: CheckName,
  error: FeishuError,
  where: { readonly explain: Explain; readonly places: readonly CodePlace[] },
  appId: string,
): Finding {
  const facts = { appId, feishuCode: error.feishuCode, logId: error.logId };
  const code = error.feishuCode === null ? null : String(error.feishuCode);
  if (error.kind === 'refused') return refusal(check, code, where, facts);
  if (code !== null && code !== '0') {
    const { cause } = meaningOf(code, where) ?? UNKNOWN;
    return warn(check, text(`Cannot be told now: ${cause.en}`, `现在无法判断：${cause.zh}`), RUN_AGAIN, facts);
  }
  const means = text(`Feishu gave no usable answer: ${error.message}`, `飞书没有给出可用的回答：${error.message}`);
  return fail(check, 'network', means, CHECK_WAY, facts);
}

function meaningOf(
  code: string | null,
  { explain, places }: { readonly explain: Explain; readonly places: readonly CodePlace[] },
): CodeMeaning | null {
  if (code === null) return null;
  for (const place of places) {
    const meaning = explain(code, place);
    if (meaning !== null) return meaning;
  }
  return null;
}
