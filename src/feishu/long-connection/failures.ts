/**
 * Everything that can keep a long connection from coming up or end one, as one table: how soon to try again, what to
 * say, what to do about it. Pure; sends and logs nothing. Sentences are for operators and hold no secret.
 *
 * Sources: FEISHU.md §2.1 (endpoint codes), §2.2 (handshake headers), §2.6 (what goes wrong on a socket), §7, §9.
 */

/**
 * How to go on: `backoff` = it will pass, try soon and ever less often; `slow` = a person must act, but try anyway,
 * because that person may have acted; `limit` = wait for a free slot at a steady, quiet pace.
 */
export type RetryKind = 'backoff' | 'slow' | 'limit';

interface FailureEntry {
  readonly retry: RetryKind;
  readonly sentence: string;
  readonly remedy: string;
}

const NOTHING_TO_DO = 'Nothing to do: it is tried again by itself.';
const CHECK_NETWORK = 'Check network, DNS, firewall and HTTPS_PROXY of this host; it is tried again by itself.';

export const FAILURE_TABLE = {
  credentials: {
    retry: 'slow',
    sentence: 'Feishu does not accept this app id and app secret',
    remedy:
      'Copy App ID and App Secret again from 凭证与基础信息 in the developer console (FEISHU_APP_ID, FEISHU_APP_SECRET).',
  },
  forbidden: {
    retry: 'slow',
    sentence: 'Feishu does not allow this app a long connection',
    remedy:
      'Check that it is a self-built app (企业自建应用) that is published and enabled, and that its secret is right.',
  },
  app_unavailable: {
    retry: 'slow',
    sentence: 'The app is disabled or not installed in this company',
    remedy: 'Enable the app in the developer console and publish a version.',
  },
  ip_not_allowed: {
    retry: 'slow',
    sentence: "The app's IP allow-list does not hold this host",
    remedy: 'Add the egress address of this host to 安全设置 > IP 白名单, or empty the list.',
  },
  wrong_brand: {
    retry: 'slow',
    sentence: 'The app belongs to the other brand of Feishu',
    remedy: 'Set FEISHU_BRAND to lark for an international app, to feishu for a mainland one.',
  },
  app_id_invalid: {
    retry: 'slow',
    sentence: 'The app id does not look like cli_ and 16 hexadecimal digits',
    remedy: 'Copy the App ID again from 凭证与基础信息 in the developer console.',
  },
  connection_limit: {
    retry: 'limit',
    sentence: 'All long connections Feishu allows this app (50) are taken',
    remedy: 'Stop processes that use this app id and are not needed; this one takes the next free connection.',
  },
  busy: { retry: 'backoff', sentence: 'Feishu is busy', remedy: NOTHING_TO_DO },
  internal: { retry: 'backoff', sentence: 'Feishu has an internal error', remedy: NOTHING_TO_DO },
  rate_limited: { retry: 'backoff', sentence: 'Feishu says: too many requests', remedy: NOTHING_TO_DO },
  refused: {
    retry: 'backoff',
    sentence: 'Feishu refuses the long connection with a code this version does not know',
    remedy: 'Look the code up in the Feishu documentation; it is tried again by itself.',
  },
  http_status: { retry: 'backoff', sentence: 'The endpoint answered with an HTTP error', remedy: CHECK_NETWORK },
  not_json: {
    retry: 'backoff',
    sentence: 'The endpoint answered with something that is not JSON',
    remedy: 'Check that no portal or proxy answers in place of Feishu; it is tried again by itself.',
  },
  bad_answer: {
    retry: 'backoff',
    sentence: 'The endpoint answered without a usable connection address',
    remedy: 'Check that no portal or proxy answers in place of Feishu; it is tried again by itself.',
  },
  dns: { retry: 'backoff', sentence: 'The host name cannot be resolved', remedy: CHECK_NETWORK },
  unreachable: { retry: 'backoff', sentence: 'The host cannot be reached', remedy: CHECK_NETWORK },
  tls: {
    retry: 'backoff',
    sentence: 'The certificate of the host is not accepted',
    remedy: "Check this host's clock, its certificate authorities (NODE_EXTRA_CA_CERTS) and proxies that open TLS.",
  },
  proxy: {
    retry: 'backoff',
    sentence: 'The proxy does not let the connection through',
    remedy: 'Check HTTPS_PROXY, HTTP_PROXY and NO_PROXY, and that the proxy allows CONNECT to Feishu.',
  },
  endpoint_timeout: { retry: 'backoff', sentence: 'The endpoint did not answer in time', remedy: CHECK_NETWORK },
  handshake_timeout: {
    retry: 'backoff',
    sentence: 'The gateway did not finish the handshake in time',
    remedy: CHECK_NETWORK,
  },
  handshake_refused: { retry: 'backoff', sentence: 'The gateway refused the handshake', remedy: CHECK_NETWORK },
  no_pong: {
    retry: 'backoff',
    sentence: 'A ping was not answered in time: the connection is taken for dead',
    remedy: 'Nothing to do: a new connection is made. If it happens often, raise WS_PONG_TIMEOUT.',
  },
  dropped: {
    retry: 'backoff',
    sentence: 'The connection was closed',
    remedy: 'Nothing to do: a new connection is made.',
  },
  stuck: {
    retry: 'backoff',
    sentence: 'The connection did not come up in time and gave no reason',
    remedy: 'Nothing to do: a new connection is made. If it repeats, report it as a bug.',
  },
  sdk_changed: {
    retry: 'slow',
    sentence: 'The installed Feishu SDK is not the version this daemon was built for',
    remedy: 'Install the packages from the lock file (npm ci).',
  },
  fault: { retry: 'backoff', sentence: 'Something went wrong inside feishu-authd', remedy: 'Report this as a bug.' },
} as const satisfies Record<string, FailureEntry>;

export type FailureReason = keyof typeof FAILURE_TABLE;

/** What is known about one failure; every member is safe to log. */
export interface FailureFacts {
  /** The code of the answer's body or of the Handshake-* headers. */
  readonly feishuCode?: number;
  /** Feishu's `x-tt-logid`. */
  readonly logId?: string;
  readonly httpStatus?: number;
  /** WebSocket close code; 1006 = without a close frame. */
  readonly closeCode?: number;
  /** `host:port` that was tried. */
  readonly host?: string;
  /** `scheme://host:port` of the proxy on the way. */
  readonly proxy?: string;
  /** System error code, such as ECONNREFUSED. */
  readonly errorCode?: string;
  /** Feishu's own words, scrubbed. */
  readonly feishuMessage?: string;
  /** The other side asked for this pause. */
  readonly retryAfterMs?: number;
}

export interface ConnectFailure extends FailureFacts {
  readonly reason: FailureReason;
  readonly retry: RetryKind;
  /** One plain sentence. */
  readonly message: string;
  readonly remedy: string;
}

export function failure(reason: FailureReason, facts: FailureFacts = {}): ConnectFailure {
  const { retry, sentence, remedy } = FAILURE_TABLE[reason];
  const extras = [
    facts.feishuCode === undefined ? null : `code ${facts.feishuCode}`,
    facts.httpStatus === undefined ? null : `HTTP ${facts.httpStatus}`,
    facts.closeCode === undefined ? null : `close code ${facts.closeCode}`,
    facts.errorCode ?? null,
    facts.host ?? null,
    facts.proxy === undefined ? null : `by proxy ${facts.proxy}`,
  ].filter((extra) => extra !== null);
  const message = extras.length === 0 ? sentence : `${sentence} (${extras.join(', ')})`;
  return { reason, retry, message, remedy, ...facts };
}

/** Endpoint and handshake codes; everything unknown is retried, because most codes mean trouble that passes. */
export const REASON_OF_CODE: ReadonlyMap<number, FailureReason> = new Map([
  [1, 'busy'],
  [403, 'forbidden'],
  [514, 'credentials'],
  [10003, 'credentials'],
  [10014, 'credentials'],
  [10015, 'credentials'],
  [99991400, 'rate_limited'],
  [99991401, 'ip_not_allowed'],
  [99991543, 'credentials'],
  [99991662, 'app_unavailable'],
  [99991673, 'app_unavailable'],
  [1000040343, 'internal'],
  [1000040345, 'busy'],
  [1000040350, 'connection_limit'],
  [1000040351, 'wrong_brand'],
]);

export function failureOfCode(feishuCode: number, facts: FailureFacts = {}): ConnectFailure {
  return failure(REASON_OF_CODE.get(feishuCode) ?? 'refused', { ...facts, feishuCode });
}
