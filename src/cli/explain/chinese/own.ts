/** Chinese for our own codes (own-codes.ts). */
import type { Translations } from '../meaning.js';
import { ZH } from './remedies.js';

const ASK = '向用户发起授权：POST /v1/sessions，或 feishu-authd send。';
const LOG = '查看守护进程当时的日志。';

export const OWN_API_ZH: Translations = {
  invalid_request: ['请求不合法', '按 `detail` 和 `errors` 改正；/openapi.json 描述了每个接口。'],
  unauthorized: ['需要有效的 API 密钥', '发送 Authorization: Bearer <密钥>：只要密钥本身，不带 API_KEYS 里的名字。'],
  forbidden: ['该客户端无权这样做', '对照 CONFIG_FILE 的 `clients`，检查该客户端的应用、权限范围和动作。'],
  app_id_required: ['配置了多个应用，需要指明是哪一个', '用 app_id 指明 `app_ids` 中的一个。'],
  app_not_found: ['没有配置这个应用', '请使用已配置的应用（FEISHU_APP_ID，或 CONFIG_FILE 的 `apps`）。'],
  session_not_found: [
    '没有这个会话',
    '核对会话号。客户端只能看到自己的会话；已结束的会话在 AUTH_SESSION_RETENTION_DAYS 天后删除。',
  ],
  token_not_found: ['用户还没有授权这个应用', ASK],
  insufficient_scope: ['用户没有授予全部所需权限', `请用户补充授权 missing_scopes 中的权限。${ASK}`],
  reauthorization_required: ['需要用户重新授权', ASK],
  open_id_of_other_app: ['这个 open_id 属于别的应用', ZH.otherApp],
  user_unreachable: [
    '飞书无法把卡片送达该用户',
    '查看 `remedy` 和 feishu_code：多半是用户不在应用的「可用范围」，或停用了机器人。',
  ],
  idempotency_conflict: ['这个 Idempotency-Key 已用于另一个请求', '不同的请求请用新的 Idempotency-Key。'],
  token_refresh_failed: ['飞书拒绝刷新 token', '用 feishu-authd explain 查询 feishu_code。授权仍然保留。'],
  upstream_unavailable: ['飞书或存储暂时不可用', '按 Retry-After 等待后重试。授权没有丢，不必打扰用户。'],
  rate_limited: ['请求太频繁', '按 Retry-After 等待后重试。'],
  payload_too_large: ['请求体过大', '请缩小请求体：上限 64 KiB。'],
  internal_error: ['feishu-authd 内部出错', `${LOG}${ZH.report}`],
};

export const START_ZH: Translations = {
  config_invalid: ['配置不正确', '改正启动时列出的每一项；feishu-authd config print 显示其余配置。'],
  cards_invalid: ['卡片模板违反了飞书的规则', '改正启动时指出的 cards/ 文件；规则见 cards/README.md。'],
  key_mismatch: [
    '加密密钥缺失或不正确',
    '把所指编号的密钥放回 TOKEN_ENCRYPTION_KEYS。数据没有任何改动。丢了这个密钥，它加密的 token 就无法恢复。',
  ],
  redis_unsuitable: [
    '这个 Redis 的设置不适合保存数据',
    '在 Redis 设置 maxmemory-policy noeviction（REDIS_ALLOW_EVICTION=true 可强制启动）和 appendonly yes。',
  ],
  record_damaged: ['有一条记录无法解密', '该记录已改名保留；相关用户会被重新请求授权。'],
};

export const FAILURE_REASON_ZH: Translations = {
  identity_mismatch: ['三次都是别的账号点了同意：其 token 已丢弃', '请用户切换到被请求的账号，再重新发起。'],
  insufficient_scope: [
    '用户同意了，但没有授予全部权限；已授予的部分保留',
    '为 missing_scopes 重新发起授权；并确认应用已开通这些权限。',
  ],
  app_misconfigured: ['应用或其在飞书的设置不正确', '按 failure_detail.remedy 处理后重新发起。'],
  code_expired: [
    '授权码没有及时使用',
    '重新发起。守护进程收到授权码会立即使用：若经常出现，说明 worker 或到飞书的网络停顿过数分钟。',
  ],
  user_unreachable: [
    '飞书无法把卡片送达该用户',
    '按 failure_detail.remedy 处理：多半是「可用范围」、机器人被停用，或用户已离职。',
  ],
  upstream_error: ['飞书给出了最终的拒绝，我们无法补救', '用 feishu-authd explain 查询 failure_detail.feishu_code。'],
  internal_error: ['feishu-authd 内部出错', `${LOG}${ZH.report}`],
};
