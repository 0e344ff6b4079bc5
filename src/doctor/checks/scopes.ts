/**
 * What is switched on in the console against what is needed: the app's own permissions for cards (FEISHU.md §4.2, §4.3),
 * the users' for AUTH_SCOPES and for what clients may ask (FEISHU.md §9). The same call shows the IP allow-list, which
 * token endpoints do not look at.
 */
import type { AppConfig, ClientConfig } from '../../config/config.js';
import { FeishuError } from '../../domain/feishu-error.js';
import { union } from '../../domain/scopes.js';
import type { EnabledScope } from '../../feishu/open-api/app-scopes.js';
import { STEPS } from '../console.js';
import { type Finding, fail, pass, skip, text, warn } from '../finding.js';
import type { Explain } from '../meanings.js';
import { callFinding } from '../refusals.js';

export interface ScopesCheck {
  readonly appId: string;
  /** Scopes that users are asked for. */
  readonly wanted: readonly string[];
  /** @throws FeishuError */
  readonly read: () => Promise<readonly EnabledScope[]>;
  readonly explain: Explain;
}

/** Each needs one of its alternatives. */
const BOT_NEEDS = [
  { what: text('send cards', '发送卡片'), any: ['im:message', 'im:message:send_as_bot', 'im:message:send'] },
  { what: text('update cards', '更新卡片'), any: ['im:message', 'im:message:send_as_bot', 'im:message:update'] },
] as const;

/** FEISHU.md §3.4: the event wants it. */
const WITHDRAWALS = 'auth:user_access_token:read';
const SELF_MANAGE = 'application:application:self_manage';
const LACKS_SCOPE = 99991672;
const IP_NOT_ALLOWED = 99991401;

/** What users of an app may be asked for: its own scopes, and those its clients may name. */
export const wantedScopes = (app: AppConfig, clients: readonly ClientConfig[]): readonly string[] =>
  union(
    app.authScopes,
    ...clients.filter(({ apps }) => apps === null || apps.includes(app.appId)).map(({ scopes }) => scopes ?? []),
  );

export async function checkScopes(check: ScopesCheck): Promise<readonly Finding[]> {
  const { appId, wanted } = check;
  try {
    const enabled = await check.read();
    return [
      ipAllowed(appId),
      botFinding(appId, enabled),
      withdrawalFinding(appId, enabled),
      ...userFindings(appId, enabled, wanted),
    ];
  } catch (error) {
    if (!(error instanceof FeishuError)) throw error;
    return untold(error, check);
  }
}

const ipAllowed = (appId: string): Finding =>
  pass('ip_allow_list', text("Feishu takes calls from this machine's address", '飞书接受本机地址的调用'), { appId });

function untold(error: FeishuError, { appId, explain }: ScopesCheck): readonly Finding[] {
  const facts = { appId, feishuCode: error.feishuCode, logId: error.logId };
  const where = { explain, places: ['any_api'] as const };
  if (error.feishuCode === IP_NOT_ALLOWED) {
    return [callFinding('ip_allow_list', error, where, appId), ...notTold(appId)];
  }
  if (error.feishuCode !== LACKS_SCOPE) return [callFinding('user_scopes', error, where, appId)];
  const means = text('Feishu does not tell this app its permissions', '飞书不向该应用告知它的权限');
  const remedy = text(
    `To have them checked, enable ${SELF_MANAGE} as a TENANT permission in 权限管理 (Permissions & Scopes) and publish a version.`,
    `若要检查，请在「权限管理」以应用身份开通 ${SELF_MANAGE} 并发布版本。`,
  );
  return [ipAllowed(appId), skip('user_scopes', means, remedy, facts)];
}

const notTold = (appId: string): readonly Finding[] => [
  skip('user_scopes', text('Not checked: Feishu takes no calls from here', '没有检查：飞书不接受本机的调用'), null, {
    appId,
  }),
];

function botFinding(appId: string, enabled: readonly EnabledScope[]): Finding {
  const have = new Set(enabled.filter(({ tenant }) => tenant).map(({ scope }) => scope));
  const lacking = BOT_NEEDS.filter(({ any }) => !any.some((scope) => have.has(scope)));
  if (lacking.length === 0) {
    return pass('bot_scopes', text('The app may send and update cards', '应用可以发送和更新卡片'), { appId });
  }
  const en = lacking.map(({ any, what }) => `${what.en} (one of ${any.join(', ')})`).join(' and ');
  const zh = lacking.map(({ any, what }) => `${what.zh}（需 ${any.join('、')} 之一）`).join('、');
  return fail('bot_scopes', 'refused', text(`The app may not ${en}`, `应用不能${zh}`), STEPS.tenantScopes, { appId });
}

/** Works without: a withdrawn grant then shows at its next refresh. */
function withdrawalFinding(appId: string, enabled: readonly EnabledScope[]): Finding {
  if (enabled.some(({ scope, tenant }) => tenant && scope === WITHDRAWALS)) {
    const means = text(
      'The app may be told of withdrawn authorizations; no API tells whether the event is subscribed',
      '应用可以得知用户撤销授权；没有接口能说明是否订阅了该事件',
    );
    return skip('withdrawals', means, STEPS.withdrawals, { appId });
  }
  const means = text(
    `Withdrawn authorizations show at the next refresh only: the app lacks ${WITHDRAWALS}`,
    `用户撤销授权要到下次刷新才知道：应用缺少 ${WITHDRAWALS}`,
  );
  return warn('withdrawals', means, STEPS.withdrawals, { appId });
}

function userFindings(appId: string, enabled: readonly EnabledScope[], wanted: readonly string[]): readonly Finding[] {
  const byName = new Map(enabled.map((entry) => [entry.scope, entry]));
  const missing = wanted.filter((scope) => !byName.has(scope));
  const tenantOnly = wanted.filter((scope) => byName.get(scope)?.user === false);
  if (missing.length + tenantOnly.length === 0) {
    const means = text(
      `All ${wanted.length} scopes users are asked for are enabled`,
      `向用户请求的 ${wanted.length} 项权限都已开通`,
    );
    return [pass('user_scopes', means, { appId })];
  }
  return [
    ...(missing.length === 0
      ? []
      : [
          fail(
            'user_scopes',
            'refused',
            text(`Not enabled in the console: ${missing.join(' ')}`, `后台没有开通：${missing.join(' ')}`),
            STEPS.userScopes,
            { appId },
          ),
        ]),
    ...(tenantOnly.length === 0
      ? []
      : [
          fail(
            'user_scopes',
            'refused',
            text(
              `Enabled for the app itself only, not for users: ${tenantOnly.join(' ')}`,
              `只以应用身份开通，用户身份不可用：${tenantOnly.join(' ')}`,
            ),
            text(
              `${STEPS.userScopes.en} Where the console offers no user permission of that name, no user can grant it: take it out of AUTH_SCOPES and of the clients' scopes.`,
              `${STEPS.userScopes.zh}若后台没有该名称的用户身份权限，用户就无法授予：请从 AUTH_SCOPES 和各客户端的权限里去掉。`,
            ),
            { appId },
          ),
        ]),
  ];
}
