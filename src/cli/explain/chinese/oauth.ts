/** Chinese for the token endpoint, waiting for consent, revocation, user_info, and calls with a user's token. */
import type { Translations } from '../meaning.js';
import { ZH } from './remedies.js';

const SERVER_ERROR = ['飞书内部错误', ZH.wait] as const;
const MALFORMED = ['请求格式错误', ZH.report] as const;
const PENDING = '无需处理：守护进程会继续查询。';
const SLOWER = '无需处理：守护进程会放慢查询。';

export const TOKEN_ENDPOINT_ZH: Translations = {
  20001: ['缺少必填字段', ZH.report],
  20002: ['App Secret 错误', ZH.credentials],
  20003: ['授权码不存在', ZH.newLink],
  20004: ['授权码已过期', ZH.newLink],
  20008: ['用户不存在', ZH.account],
  20009: ['应用没有安装到该企业', `安装应用：${ZH.publish}。`],
  20010: ['用户没有使用该应用的权限', ZH.availability],
  20024: ['授权码或 token 属于别的应用', ZH.credentials],
  20026: ['refresh_token 无效', ZH.askAgain],
  20027: ['有权限没有为该应用开通', `在「权限管理」以用户身份开通所请求的每一项权限，再${ZH.publish}。`],
  20029: [
    '重定向 URL 不在应用的登记列表里',
    `把 OAUTH_REDIRECT_URI 原样填入「安全设置 > 重定向 URL」（http 或 https、端口、结尾斜杠都须一致），再${ZH.publish}。`,
  ],
  20036: ['不支持该授权类型（grant_type）', ZH.report],
  20037: ['refresh_token 已过期', ZH.askAgain],
  20048: ['应用不存在', ZH.credentials],
  20049: ['PKCE 校验失败', ZH.newLink],
  20050: SERVER_ERROR,
  20063: MALFORMED,
  20064: ['refresh_token 已被撤销', ZH.askAgain],
  20065: ['授权码已经用过', ZH.newLink],
  20066: ['用户被冻结或已离职', ZH.account],
  20067: ['权限重复', ZH.report],
  20068: ['请求了未授予的权限', ZH.report],
  20069: ['应用已停用', ZH.enableApp],
  20070: ['一个请求里用了两种客户端认证方式', ZH.report],
  20071: [
    '重定向 URL 与授权请求中的不一致，或已不在登记列表里',
    '在「安全设置 > 重定向 URL」登记 OAUTH_REDIRECT_URI，与配置完全一致。',
  ],
  20072: ['飞书暂时不可用', ZH.wait],
  20073: ['refresh_token 已经用过', ZH.askAgain],
  20074: ['应用不允许刷新 token', `在「安全设置」打开「刷新 user_access_token」，再${ZH.publish}。`],
  21000: ['企业的访问策略要求进一步验证', '请联系企业管理员。'],
  21001: ['企业的访问策略不允许', '请企业管理员放行。'],
  invalid_request: MALFORMED,
  invalid_client: ['App ID 或 App Secret 错误', ZH.credentials],
  unauthorized_client: ['应用不能使用这种授权方式', `在开发者后台确认应用已启用并安装；${ZH.publish}。`],
  unsupported_grant_type: ['不支持该授权类型（grant_type）', ZH.report],
  invalid_scope: [
    '有权限不存在、写法有误，或没有为该应用开通',
    `对照「权限管理」里的用户身份权限，检查 AUTH_SCOPES 和各客户端请求的权限；开通后${ZH.publish}。`,
  ],
  invalid_grant: ['授权码已失效', ZH.newLink],
  server_error: SERVER_ERROR,
  temporarily_unavailable: ['飞书暂时不可用', ZH.wait],
};

export const DEVICE_POLL_ZH: Translations = {
  20094: ['用户还没有同意（authorization_pending）', PENDING],
  20095: ['查询太频繁（slow_down）', SLOWER],
  authorization_pending: ['用户还没有同意', PENDING],
  slow_down: ['查询太频繁', SLOWER],
  access_denied: ['用户在飞书页面上拒绝了', '只有用户愿意时才重新发起。'],
  expired_token: ['链接已过期，用户没有同意', ZH.newLink],
};

export const REVOCATION_ZH: Translations = {
  invalid_token: ['token 已经失效', '无需处理：本地的副本无论如何都会删除。'],
};

export const USER_INFO_ZH: Translations = {
  20001: ['请求格式错误', ZH.report],
  20005: ['user_access_token 无效', ZH.askAgain],
  20008: ['用户不存在', ZH.account],
  20021: ['用户已离职', ZH.account],
  20022: ['用户被冻结', ZH.account],
  20023: ['用户没有注册', ZH.account],
  20050: SERVER_ERROR,
  99991661: ['没有带 user_access_token', ZH.askAgain],
  99991663: ['token 无效或类型不对', ZH.askAgain],
  99991668: ['user_access_token 无效', ZH.askAgain],
  99991671: ['user_access_token 格式不明', ZH.askAgain],
  99991677: ['user_access_token 已过期', ZH.askAgain],
};

const ASK_SCOPES = '为回答里 error.permission_violations 所列的权限向用户发起授权（POST /v1/sessions）。';

export const USER_TOKEN_ZH: Translations = {
  99991661: ['没有带 token', '发送请求头 Authorization: Bearer <access_token>。'],
  99991663: ['token 的类型不适用于该接口，或已失效', '在接口文档里确认它是否支持 user_access_token。'],
  99991668: [
    'user_access_token 无效，或该接口不支持用户身份',
    '带 if_expires_at 刷新（POST /v1/users/{open_id}/token/refresh），重新读取 token 后重试一次。若仍失败且提示 "user access token not support"，说明该接口只支持应用身份。',
  ],
  99991669: ['refresh_token 不合法', ZH.askAgain],
  99991671: ['token 格式不明', '请原样发送读取到的 token。'],
  99991676: ['token 没有该接口的权限', ASK_SCOPES],
  99991677: [
    'user_access_token 已过期',
    '重新读取 token（GET /v1/users/{open_id}/token）并重试一次；不要在 expires_at 之后继续使用。',
  ],
  99991679: ['用户没有授予该权限', ASK_SCOPES],
};
