/**
 * What a check of `feishu-authd doctor` says: one line each, in both languages, and the exit code all of them make.
 * Shapes only; what is checked and how it is shown is elsewhere. Texts hold nothing secret.
 */

export type Language = 'en' | 'zh';

/** The same sentence in each language. */
export type Text = Readonly<Record<Language, string>>;

export const text = (en: string, zh: string): Text => ({ en, zh });

/**
 * - `pass`: as it should be
 * - `warn`: it works, but will hurt
 * - `fail`: the daemon, or a user, will run into it
 * - `skip`: not checked, or nothing that can be checked from here
 */
export type FindingStatus = 'pass' | 'warn' | 'fail' | 'skip';

/** Who has to act on a failure, as the exit code says it. `internal`: a fault of ours. */
export type Blame = 'refused' | 'configuration' | 'network' | 'internal';

/** Every line there can be, in the order of the report. */
export const CHECKS = {
  configuration: text('Configuration', '配置'),
  redis: text('Redis', 'Redis'),
  'redis.eviction': text('Redis eviction', 'Redis 淘汰策略'),
  'redis.persistence': text('Redis persistence', 'Redis 持久化'),
  'redis.clock': text('Redis clock', 'Redis 时钟'),
  'redis.protection': text('Redis protection', 'Redis 防护'),
  encryption_keys: text('Encryption keys', '加密密钥'),
  state_dir: text('State folder', '状态目录'),
  spool: text('Spool', '暂存'),
  'host.open': text('Host open', 'open 域名'),
  'host.accounts': text('Host accounts', 'accounts 域名'),
  'host.applink': text('Host applink', 'applink 域名'),
  setup: text('Way of working', '工作方式'),
  credentials: text('Credentials', '应用凭证'),
  brand: text('Brand', '品牌'),
  long_connection: text('Long connection', '长连接'),
  ip_allow_list: text('IP allow-list', 'IP 白名单'),
  bot_scopes: text('Bot permissions', '应用身份权限'),
  withdrawals: text('Withdrawals', '撤销通知'),
  user_scopes: text('User permissions', '用户身份权限'),
  device_authorization: text('Device authorization', '设备授权'),
  callback_server: text('Callback server', '回调服务器'),
  redirect_uri: text('Redirect URI', '重定向 URL'),
  'redirect_uri.reach': text('Redirect URI reached', '重定向 URL 可达'),
  card_callback: text('HTTP callbacks', 'HTTP 回调'),
  'console.redirect_uri': text('Redirect URI listed', '重定向 URL 登记'),
  'console.callback': text('Card callback', '卡片回调'),
  'console.encrypt_key': text('Encrypt Key', '加密策略'),
  'console.refresh': text('Refresh switch', '刷新开关'),
  'console.release': text('Published version', '版本发布'),
  'console.availability': text('Availability', '可用范围'),
  'console.environment': text('One environment', '单一环境'),
  daemon: text('Running daemon', '运行中的守护进程'),
  'user.card': text('Card delivered', '卡片送达'),
  'user.click': text('Click received', '点击到达'),
  'user.consent': text('Consent', '用户同意'),
  'user.refresh': text('Refresh token', 'refresh_token'),
} as const satisfies Readonly<Record<string, Text>>;

export type CheckName = keyof typeof CHECKS;

export interface Finding {
  readonly check: CheckName;
  /** null: about no single app. */
  readonly appId: string | null;
  readonly status: FindingStatus;
  /** What it means. */
  readonly means: Text;
  /** What to do; null where nothing is to be done. */
  readonly remedy: Text | null;
  /** Of a failure only. */
  readonly blame: Blame | null;
  /** Feishu's. */
  readonly feishuCode: number | null;
  /** Feishu's `x-tt-logid`, to quote to its support. */
  readonly logId: string | null;
  /** The app's settings by their names in CONFIG_FILE; of the line `setup` only. */
  readonly settings: Readonly<Record<string, string>> | null;
}

export interface Facts {
  readonly appId?: string | null;
  readonly feishuCode?: number | null;
  readonly logId?: string | null;
  readonly settings?: Readonly<Record<string, string>>;
}

export const pass = (check: CheckName, means: Text, facts: Facts = {}): Finding => line(check, 'pass', means, facts);

export const warn = (check: CheckName, means: Text, remedy: Text, facts: Facts = {}): Finding => ({
  ...line(check, 'warn', means, facts),
  remedy,
});

export const fail = (check: CheckName, blame: Blame, means: Text, remedy: Text, facts: Facts = {}): Finding => ({
  ...line(check, 'fail', means, facts),
  remedy,
  blame,
});

export const skip = (check: CheckName, means: Text, remedy: Text | null = null, facts: Facts = {}): Finding => ({
  ...line(check, 'skip', means, facts),
  remedy,
});

const line = (check: CheckName, status: FindingStatus, means: Text, facts: Facts): Finding => ({
  check,
  appId: facts.appId ?? null,
  status,
  means,
  remedy: null,
  blame: null,
  feishuCode: facts.feishuCode ?? null,
  logId: facts.logId ?? null,
  settings: facts.settings ?? null,
});

/** What ends the command: what must be corrected here goes before what must be reached, and that before Feishu's word. */
const SEVERITY: readonly Blame[] = ['internal', 'configuration', 'network', 'refused'];

/** null: nothing has failed. */
export const worstBlame = (findings: readonly Finding[]): Blame | null =>
  SEVERITY.find((blame) => findings.some((finding) => finding.blame === blame)) ?? null;
