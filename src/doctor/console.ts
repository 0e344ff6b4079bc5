/**
 * Steps of the developer console that doctor names, as FEISHU.md §9 numbers them, and the lines for those that no API
 * tells anything about.
 */
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
  callbackByHttp: text(
    `Register https://<callback server>/callback/cards/<App ID>, as Feishu reaches it, in 事件与回调 > 回调配置 and 事件配置 (Events & Callbacks > Callback Configuration and Event Configuration): 将回调发送至开发者服务器 (to the developer's server); add 卡片回传交互 (card.action.trigger, the new one), then ${PUBLISH.en}.`,
    `在「事件与回调」的「回调配置」和「事件配置」都选「发送至开发者服务器」，请求地址填 https://<回调服务器>/callback/cards/<App ID>（须能从飞书访问）；添加「卡片回传交互」（card.action.trigger，不是旧版），再${PUBLISH.zh}。`,
  ),
  withdrawals: text(
    `Enable auth:user_access_token:read in 权限管理 (Permissions & Scopes) as a TENANT permission; 事件与回调 > 事件配置 > 添加事件 (Events & Callbacks > Event Configuration > Add Events): auth.user_access_token.revoked_v4; then ${PUBLISH.en}.`,
    `在「权限管理」以应用身份开通 auth:user_access_token:read；「事件与回调 > 事件配置 > 添加事件」：auth.user_access_token.revoked_v4；再${PUBLISH.zh}。`,
  ),
  refresh: text(
    `Switch on 刷新 user_access_token (if it is shown) in 安全设置 (Security Settings), then ${PUBLISH.en}.`,
    `在「安全设置」打开「刷新 user_access_token」（若显示该开关），再${PUBLISH.zh}。`,
  ),
  availability: text(
    `Add the users to 可用范围 (Availability) of the app, then ${PUBLISH.en}.`,
    `把用户加入应用的「可用范围」，再${PUBLISH.zh}。`,
  ),
} as const;

const USER_FINDS = text(' doctor --user ou_… finds out.', '用 doctor --user ou_… 可以查明。');
const and = (one: Text, other: Text): Text => text(one.en + other.en, one.zh + other.zh);

export interface ConsoleOptions {
  /** A real user is asked: her click and her card say more than these lines. */
  readonly roundTrip: boolean;
  /** No app has a long connection. */
  readonly allByHttp: boolean;
}

export function consoleFindings({ allByHttp, roundTrip }: ConsoleOptions): readonly Finding[] {
  const byUser: readonly Finding[] = [
    skip(
      'console.callback',
      text(
        'No API tells whether clicks on cards come to us (else users see 200340)',
        '没有接口能说明卡片点击是否推送给我们（否则用户会看到 200340）',
      ),
      and(allByHttp ? STEPS.callbackByHttp : STEPS.callback, USER_FINDS),
    ),
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
