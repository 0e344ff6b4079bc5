/** Chinese for codes any API may answer, the long connection, the SDK and aPaaS. */
import { type FailureReason, REASON_OF_CODE } from '../../../feishu/long-connection/failures.js';
import type { Translations } from '../meaning.js';
import { ZH } from './remedies.js';

const NO_TENANT_TOKEN = ['飞书没能签发 tenant_access_token', ZH.wait] as const;

export const ANY_API_ZH: Translations = {
  10003: ['凭证参数缺失或不合法', ZH.credentials],
  10012: NO_TENANT_TOKEN,
  10013: NO_TENANT_TOKEN,
  10014: ['App Secret 错误，或应用已停用', `${ZH.credentials}并确认应用已启用。`],
  10015: ['App Secret 错误', ZH.credentials],
  11232: ['飞书繁忙，整点和半点前后常见', ZH.wait],
  99991400: ['触发限流', `${ZH.wait}是否有别的程序使用同一个应用？`],
  99991401: ['本机 IP 不在应用的白名单内', '在「安全设置 > IP 白名单」加入本机的出口 IP，或清空白名单。'],
  99991403: ['本月的调用额度已用完', '在企业管理后台提高 API 调用额度。'],
  99991543: ['App ID 或 App Secret 错误', ZH.credentials],
  99991661: ['没有带 token', ZH.newToken],
  99991662: ['应用已停用', ZH.enableApp],
  99991663: ['tenant_access_token 已失效', ZH.newToken],
  99991664: ['app_access_token 已失效', ZH.newToken],
  99991665: ['企业代码不合法', ZH.credentials],
  99991668: ['token 不适用于这次调用', ZH.newToken],
  99991671: ['token 格式不明', ZH.report],
  99991672: ['应用缺少权限', `在「权限管理」开通该权限，再${ZH.publish}。`],
  99991673: ['应用在该企业不可用', `把应用安装到该企业：${ZH.publish}。`],
  99991676: ['token 没有这次调用的权限', `检查「权限管理」，再${ZH.publish}。`],
  99992351: ['飞书不认识这个 open_id', ZH.report],
  99992361: ['open_id 属于别的应用', ZH.otherApp],
  99992402: ['请求的字段校验失败', ZH.report],
};

const GATEWAY = '无需处理：会自动重试。业务服务只重试可以重复的调用，并隔一段时间。';

export const HTTP_ZH: Translations = {
  429: ['触发限流', '按 x-ogw-ratelimit-reset 等待。守护进程会自动等待；是否有别的程序使用同一个应用？'],
  502: ['飞书网关没有得到回答', GATEWAY],
  503: ['飞书网关过载', GATEWAY],
  504: ['飞书网关等待超时', GATEWAY],
};

const NETWORK = '检查本机的网络、DNS、防火墙和 HTTPS_PROXY；会自动重试。';
const PORTAL = '确认没有门户或代理冒充飞书回答；会自动重试。';
const RECONNECT = '无需处理：会建立新的连接。';

const REASONS_ZH: Readonly<Record<FailureReason, readonly [string, string]>> = {
  credentials: [
    '飞书不接受这个 App ID 和 App Secret',
    '从开发者后台「凭证与基础信息」重新复制 App ID 和 App Secret（FEISHU_APP_ID、FEISHU_APP_SECRET）。',
  ],
  forbidden: ['飞书不允许该应用建立长连接', '确认是企业自建应用，已发布并启用，且 App Secret 正确。'],
  app_unavailable: ['应用已停用，或没有安装到该企业', '在开发者后台启用应用并发布版本。'],
  ip_not_allowed: ['本机不在应用的 IP 白名单内', '在「安全设置 > IP 白名单」加入本机的出口 IP，或清空白名单。'],
  wrong_brand: ['应用属于另一个品牌', '国际版应用把 FEISHU_BRAND 设为 lark，国内应用设为 feishu。'],
  app_id_invalid: ['App ID 不是 cli_ 加 16 位十六进制数', '从开发者后台「凭证与基础信息」重新复制 App ID。'],
  connection_limit: [
    '飞书允许该应用的长连接（50 条）已全部占用',
    '停掉使用同一个 App ID 的多余进程；本进程会使用下一个空出的连接。',
  ],
  busy: ['飞书繁忙', ZH.wait],
  internal: ['飞书内部错误', ZH.wait],
  rate_limited: ['飞书提示请求太频繁', ZH.wait],
  refused: ['飞书拒绝了长连接，错误码本版本不认识', '在飞书文档里查询该错误码；会自动重试。'],
  http_status: ['获取连接地址时得到 HTTP 错误', NETWORK],
  not_json: ['获取连接地址时得到的回答不是 JSON', PORTAL],
  bad_answer: ['回答里没有可用的连接地址', PORTAL],
  dns: ['域名无法解析', NETWORK],
  unreachable: ['主机连不上', NETWORK],
  tls: ['主机的证书不被接受', '检查本机时钟、证书颁发机构（NODE_EXTRA_CA_CERTS）和会解密 TLS 的代理。'],
  proxy: ['代理不放行该连接', '检查 HTTPS_PROXY、HTTP_PROXY 和 NO_PROXY，并确认代理允许以 CONNECT 访问飞书。'],
  endpoint_timeout: ['获取连接地址超时', NETWORK],
  handshake_timeout: ['网关没有及时完成握手', NETWORK],
  handshake_refused: ['网关拒绝握手', NETWORK],
  no_pong: ['心跳没有及时得到回应：认为连接已断', `${RECONNECT}若经常出现，请调大 WS_PONG_TIMEOUT。`],
  dropped: ['连接被关闭', RECONNECT],
  stuck: ['连接没有及时建立，也没有原因', `${RECONNECT}若反复出现，请反馈给开发者。`],
  sdk_changed: ['安装的飞书 SDK 与本版本所用的不同', '按锁定文件安装依赖（npm ci）。'],
  fault: ['feishu-authd 内部出错', '请反馈给开发者。'],
};

export const LONG_CONNECTION_ZH: Translations = {
  ...REASONS_ZH,
  ...Object.fromEntries([...REASON_OF_CODE].map(([code, reason]) => [code, REASONS_ZH[reason]])),
};

export const ACK_ZH: Translations = {
  200: ['事件或点击已受理', '无需处理。'],
  500: ['处理程序出错：事件会由飞书重发，点击的用户会看到 200671', ZH.report],
};

export const WEBSOCKET_ZH: Translations = {
  1000: ['正常关闭', RECONNECT],
  1001: ['网关离开，例如重启', RECONNECT],
  1005: ['关闭时没有给出代码', RECONNECT],
  1006: ['连接未经告别就断开', `${RECONNECT}若经常出现，请检查网络。`],
};

const ASSERTION = [
  'SDK 的 client assertion 在发送之前就失败了',
  'feishu-authd 用的是 App Secret，不用 client assertion：请检查使用它的程序。',
] as const;

export const SDK_ZH: Translations = {
  7100: ASSERTION,
  7101: ASSERTION,
  7102: ASSERTION,
  7103: ASSERTION,
  7104: ['没有给 SDK App Secret，也没有 client assertion provider', '请为该程序配置 App Secret。'],
};

export const APAAS_ZH: Translations = {
  2320001: ['参数不合法', ZH.docs],
  2320002: ['aPaaS 服务内部错误', '过一会儿再调用。'],
  2320003: ['请求的对象不存在', '核对路径里的 id。'],
  2320004: ['请求的对象不存在', '核对路径里的 id。'],
  2320005: ['没有权限', '请该 aPaaS 应用的管理员授权本应用，并向用户申请该接口需要的权限。'],
  2320006: ['请求被拒绝', ZH.docs],
};
