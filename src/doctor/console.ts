/**
 * Steps of the developer console that doctor names, as FEISHU.md §9 numbers them, and the lines for those that no API
 * tells anything about.
 */
import { maskUrl } from '../config/addresses.js';
import type { AppConfig } from '../config/config.js';
import { cardCallbackAddress } from './callback-addresses.js';
import { type Finding, skip, type Text, text } from './finding.js';

const PUBLISH = text(
  'publish a version (版本管理与发布, Version Management & Release) and have it approved',
  '在「版本管理与发布」创建版本并通过审核',
);

export const STEPS = {
  userScopes: text(
    `Enable them in 权限管理 (Permissions & Scopes) as USER permissions, then ${PUBLISH.en}.`,
    `在「权限管理」以用户身份开通，再${PUBLISH.zh}。`,
  ),
  tenantScopes: text(
    `Enable them in 权限管理 (Permissions & Scopes) as TENANT permissions, then ${PUBLISH.en}.`,
    `在「权限管理」以应用身份开通，再${PUBLISH.zh}。`,
  ),
  callback: text(
    `While the daemon runs: 事件与回调 > 回调配置 (Events & Callbacks > Callback Configuration) > 使用长连接接收回调, add 卡片回传交互 (card.action.trigger, the new one), then ${PUBLISH.en}.`,
    `守护进程运行时：「事件与回调 > 回调配置」选「使用长连接接收回调」，添加「卡片回传交互」（card.action.trigger，不是旧版），再${PUBLISH.zh}。`,
  ),
  withdrawals: text(
    `Enable auth:user_access_token:read in 权限管理 (Permissions & Scopes) as a TENANT permission; 事件与回调 > 事件配置 > 添加事件 (Events & Callbacks > Event Configuration > Add Events): auth.user_access_token.revoked_v4; then ${PUBLISH.en}.`,
    `在「权限管理」以应用身份开通 auth:user_access_token:read；「事件与回调 > 事件配置 > 添加事件」：auth.user_access_token.revoked_v4；再${PUBLISH.zh}。`,
  ),
  refresh: text(
    `Switch on 刷新 user_access_token (if it is shown) in 安全设置 (Security Settings), then ${PUBLISH.en}.`,
    `在「安全设置」打开「刷新 user_access_token」（若显示该开关），再${PUBLISH.zh}。`,
  ),
  encryptKey: text(
    'Copy Encrypt Key and Verification Token from 事件与回调 > 加密策略 (Events & Callbacks > Encryption Strategy) to FEISHU_ENCRYPT_KEY and FEISHU_VERIFICATION_TOKEN, restart the daemon, then save the address in the console.',
    '把「事件与回调 > 加密策略」里的 Encrypt Key 和 Verification Token 填入 FEISHU_ENCRYPT_KEY、FEISHU_VERIFICATION_TOKEN，重启守护进程，再在后台保存请求地址。',
  ),
  availability: text(
    `Add the users to 可用范围 (Availability) of the app, then ${PUBLISH.en}.`,
    `把用户加入应用的「可用范围」，再${PUBLISH.zh}。`,
  ),
} as const;

/** @param address to be pasted */
export const callbackByHttp = ({ en, zh }: Text): Text =>
  text(
    `Register ${en}, as Feishu reaches it from the internet, in 事件与回调 > 回调配置 and 事件配置 (Events & Callbacks > Callback Configuration and Event Configuration): 将回调发送至开发者服务器 (to the developer's server); add 卡片回传交互 (card.action.trigger, the new one), then ${PUBLISH.en}.`,
    `在「事件与回调」的「回调配置」和「事件配置」都选「发送至开发者服务器」，请求地址填 ${zh}（须能从公网访问）；添加「卡片回传交互」（card.action.trigger，不是旧版），再${PUBLISH.zh}。`,
  );

/** @param uri null: not configured */
export function redirectUriStep(uri: string | null): Text {
  const exact = uri === null ? 'OAUTH_REDIRECT_URI' : withoutPassword(uri);
  return text(
    `Paste exactly ${exact} into 安全设置 > 重定向 URL (Security Settings > Redirect URLs), then ${PUBLISH.en}.`,
    `把 ${exact} 原样填入「安全设置 > 重定向 URL」，再${PUBLISH.zh}。`,
  );
}

const USER_FINDS = text(' doctor --user ou_… finds out.', '用 doctor --user ou_… 可以查明。');
const and = (one: Text, other: Text): Text => text(one.en + other.en, one.zh + other.zh);

/** Byte for byte, unless that would show a secret. */
const withoutPassword = (uri: string): string => (/^[^/]*\/\/[^/?#]*@/.test(uri) ? maskUrl(uri) : uri);

export interface ConsoleOptions {
  /** A real user is asked: her click and her card say more than these lines. */
  readonly roundTrip: boolean;
  /** Those that are looked at. */
  readonly apps: readonly Pick<AppConfig, 'appId' | 'authGrant' | 'cardCallback'>[];
  readonly oauthRedirectUri: string | null;
}

export function consoleFindings({ apps, oauthRedirectUri, roundTrip }: ConsoleOptions): readonly Finding[] {
  const byCode = apps.filter(({ authGrant }) => authGrant === 'authorization_code');
  const byHttp = apps.filter(({ cardCallback }) => cardCallback === 'http');
  const untold = text(
    'No API tells whether clicks on cards come to us (else users see 200340)',
    '没有接口能说明卡片点击是否推送给我们（否则用户会看到 200340）',
  );
  const byUser: readonly Finding[] = [
    ...byCode.map(({ appId }) =>
      skip(
        'console.redirect_uri',
        text(
          "Only Feishu's page tells whether it takes the redirect URI (else 20029 there, 20071 afterwards)",
          '只有飞书授权页能说明它是否接受重定向 URL（否则页面显示 20029，之后出现 20071）',
        ),
        and(redirectUriStep(oauthRedirectUri), USER_FINDS),
        { appId },
      ),
    ),
    ...(byHttp.length < apps.length ? [skip('console.callback', untold, and(STEPS.callback, USER_FINDS))] : []),
    ...byHttp.map(({ appId }) => {
      const { shown } = cardCallbackAddress({ oauthRedirectUri }, appId);
      return skip('console.callback', untold, and(callbackByHttp(shown), USER_FINDS), { appId });
    }),
    skip(
      'console.availability',
      text(
        'No API tells who may use the app (else 230013 and 20010)',
        '没有接口能说明谁可以使用应用（否则 230013、20010）',
      ),
      and(STEPS.availability, USER_FINDS),
    ),
  ];
  return [
    ...(roundTrip ? [] : byUser),
    ...byHttp.map(({ appId }) =>
      skip(
        'console.encrypt_key',
        text(
          "Only saving the address in the console tells whether FEISHU_ENCRYPT_KEY is the app's (else the console reports no challenge, and the daemon's log callback.refused)",
          '只有在后台保存请求地址时才知道 FEISHU_ENCRYPT_KEY 是否正确（否则后台提示没有返回 challenge，守护进程日志出现 callback.refused）',
        ),
        STEPS.encryptKey,
        { appId },
      ),
    ),
    skip(
      'console.refresh',
      text(
        'Whether tokens may be refreshed shows at the first refresh, two hours after the consent (else 20074)',
        '能否刷新 token 要到首次刷新（同意约两小时后）才知道（否则 20074）',
      ),
      STEPS.refresh,
    ),
    skip(
      'console.release',
      text(
        'Whether the last changes in the console are published cannot be told: settings work only after a release',
        '无法判断后台的最近改动是否已发布：设置在发布后才生效',
      ),
      text(
        'Look at 版本管理与发布 (Version Management & Release): is the newest version approved and online?',
        '查看「版本管理与发布」：最新版本是否已审核并上线？',
      ),
    ),
    skip(
      'console.environment',
      text(
        'Whether another program uses this App ID cannot be told: Feishu gives each click to one random connection',
        '无法判断是否有别的程序使用同一个 App ID：飞书把每次点击随机交给一条连接',
      ),
      text(
        'Give each environment (production, test, a laptop) an app of its own.',
        '每个环境（生产、测试、开发机）各用一个应用。',
      ),
    ),
  ];
}
