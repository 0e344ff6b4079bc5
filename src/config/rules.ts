/** Rules between settings. Each looks only at values whose own format was right. */
import { isLoopback } from './addresses.js';
import type { AppConfig } from './config.js';
import type { Findings } from './problems.js';
import { isWorldReadable, type ReadFile, readNamedFile } from './sources.js';
import type { Values, VariableName } from './variables.js';

export interface RuleInput {
  readonly values: Values;
  isGiven(name: VariableName): boolean;
  readonly readFile: ReadFile;
  readonly apps: readonly Pick<AppConfig, 'authGrant' | 'cardCallback'>[];
  /** How many clients there are. */
  readonly clients: number;
}

export function applyRules(input: RuleInput, findings: Findings): void {
  needEncryptionKeys(input, findings);
  guardListeningAddress(input, findings);
  checkTlsFiles(input, findings);
  checkCallbackServer(input, findings);
  const { values } = input;
  if (values.WS_RECONNECT_BASE_MS > values.WS_RECONNECT_MAX_MS) {
    findings.problem('WS_RECONNECT_BASE_MS', 'is longer than WS_RECONNECT_MAX_MS');
  }
  if (values.ROLES.includes('api') && input.clients === 0) {
    findings.warn('Neither API_KEYS nor clients are configured: the API answers 401 to everyone');
  }
  if (values.REDIS_ALLOW_EVICTION) {
    findings.warn('REDIS_ALLOW_EVICTION is on: Redis may throw tokens away when its memory is full');
  }
}

/** There is no default and none is derived: a key made from the host would be lost with it (F-key-from-hostname). */
function needEncryptionKeys({ values, isGiven }: RuleInput, findings: Findings): void {
  if (!isGiven('TOKEN_ENCRYPTION_KEYS')) {
    findings.problem('TOKEN_ENCRYPTION_KEYS', 'is required', 'for a start: echo "k1:$(openssl rand -base64 32)"');
  }
  for (const { id, key } of values.TOKEN_ENCRYPTION_KEYS ?? []) {
    if (new Set(key).size < 8) findings.warn(`The key "${id}" of TOKEN_ENCRYPTION_KEYS does not look random`);
  }
}

function guardListeningAddress({ values, isGiven }: RuleInput, findings: Findings): void {
  const { HTTP_HOST: host, HTTP_ALLOW_PLAINTEXT: plaintext } = values;
  const hasTls = isGiven('HTTP_TLS_CERT_FILE') || isGiven('HTTP_TLS_KEY_FILE');
  if (isLoopback(host) || hasTls) return;
  if (plaintext) {
    findings.warn(`API keys and tokens travel unencrypted on ${host} (HTTP_ALLOW_PLAINTEXT): keep it behind a proxy`);
    return;
  }
  const accepted = 'a loopback address, or HTTP_TLS_CERT_FILE and HTTP_TLS_KEY_FILE, or HTTP_ALLOW_PLAINTEXT=true';
  findings.problem('HTTP_HOST', 'is not loopback, and the API would hand out tokens unencrypted', accepted);
}

function checkTlsFiles({ values, isGiven, readFile }: RuleInput, findings: Findings): void {
  const names = ['HTTP_TLS_CERT_FILE', 'HTTP_TLS_KEY_FILE'] as const;
  for (const name of names) {
    const other = name === names[0] ? names[1] : names[0];
    if (!isGiven(name) && isGiven(other)) findings.problem(name, `is missing, and ${other} is set: TLS needs both`);
    const path = values[name];
    const file = path === null ? undefined : readNamedFile(path, name, readFile, findings);
    if (file === undefined) continue;
    if (!file.text.includes('-----BEGIN ')) findings.problem(name, 'names a file that is not PEM');
    if (name === 'HTTP_TLS_KEY_FILE' && isWorldReadable(file.mode)) {
      findings.warn(`The file of ${name} can be read by every user of this machine: chmod 600 it`);
    }
  }
}

/** Who is sent back by Feishu, or called by it, must meet somebody. */
function checkCallbackServer({ apps, values, isGiven }: RuleInput, findings: Findings): void {
  const byCode = apps.some((app) => app.authGrant === 'authorization_code');
  const byHttp = apps.some((app) => app.cardCallback === 'http');
  if (byCode && !isGiven('OAUTH_REDIRECT_URI')) {
    const accepted = 'the address of /callback as users reach it, registered in 安全设置 > 重定向 URL';
    findings.problem('OAUTH_REDIRECT_URI', 'is required for AUTH_GRANT=authorization_code', accepted);
  }
  const { CALLBACK_SERVER_ENABLED: enabled, CALLBACK_SERVER_PORT: port } = values;
  if ((byCode || byHttp) && !enabled && values.ROLES.includes('api')) {
    const why = byCode ? 'AUTH_GRANT=authorization_code' : 'CARD_CALLBACK=http';
    findings.problem(
      'CALLBACK_SERVER_ENABLED',
      `is false, and ${why} needs it in the process with the role api`,
      'true',
    );
  }
  if (!enabled) return;
  if (!byCode && !byHttp) {
    findings.warn(
      'CALLBACK_SERVER_ENABLED has no effect: no app has AUTH_GRANT=authorization_code or CARD_CALLBACK=http',
    );
  }
  if (port !== 0 && port === values.HTTP_PORT) {
    findings.problem('CALLBACK_SERVER_PORT', 'is the same as HTTP_PORT');
  }
  if (port !== 0 && port === values.METRICS_PORT) {
    findings.problem('CALLBACK_SERVER_PORT', 'is the same as METRICS_PORT');
  }
}
