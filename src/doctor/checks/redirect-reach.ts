/**
 * Whether OAUTH_REDIRECT_URI leads to the callback server, as a browser would find out: DNS, TLS, proxies in front. The
 * users' browsers stand elsewhere: what only this machine fails at is a warning.
 */
import { isLoopback } from '../../config/addresses.js';
import type { NoReply, Reply } from '../ask-once.js';
import { type Finding, fail, pass, skip, type Text, text, warn } from '../finding.js';
import { type LocalServer, START } from './callback-server.js';

export interface RedirectReachCheck {
  readonly uri: string;
  readonly reply: Reply;
  readonly local: LocalServer;
  /** A proxy for Feishu is configured; it was not used. */
  readonly hasProxy: boolean;
}

const CHECK = 'redirect_uri.reach' as const;
const BROWSERS = text(
  "The user's browser follows it, not Feishu: an address of the intranet is enough. If browsers of the users open it, this line may be ignored.",
  '跳转由用户的浏览器完成，而不是飞书：内网地址即可。若用户的浏览器能打开，可以忽略这一行。',
);
/** Browsers refuse these, too. */
const BAD_CERTIFICATE: ReadonlySet<string> = new Set([
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);
/** The proxy in front has nobody behind it. */
const NOBODY_BEHIND: ReadonlySet<number> = new Set([502, 503, 504]);

export function checkRedirectReach(check: RedirectReachCheck): Finding {
  return check.reply.kind === 'none' ? unreached(check, check.reply) : answered(check, check.reply);
}

function answered(check: RedirectReachCheck, reply: Extract<Reply, { kind: 'answer' }>): Finding {
  const { hasProxy, local, uri } = check;
  const { isOurs, location, server, status } = reply;
  if (isOurs && status !== 404) {
    const [en, zh] = hasProxy
      ? [' (asked without HTTPS_PROXY, which is for Feishu)', '（没有经过 HTTPS_PROXY，它只用于访问飞书）']
      : ['', ''];
    return pass(CHECK, text(`It leads to the callback server${en}`, `它通向回调服务器${zh}`));
  }
  if (isOurs) {
    const means = text(
      'It leads to the callback server, but to a path that is not served',
      '它通向回调服务器，但该路径没有服务',
    );
    const remedy = text(
      `Let the proxy in front pass the path on as it is, or as /callback; was the daemon started with this OAUTH_REDIRECT_URI?`,
      '让前置代理原样转发路径，或转发为 /callback；守护进程启动时用的是这个 OAUTH_REDIRECT_URI 吗？',
    );
    return fail(CHECK, 'configuration', means, remedy);
  }
  if (status >= 300 && status < 400) return redirected(uri, location, status);
  const [en, zh] =
    server === null ? [`HTTP ${status}`, `HTTP ${status}`] : [`HTTP ${status}, ${server}`, `HTTP ${status}，${server}`];
  if (NOBODY_BEHIND.has(status) && local === 'silent') {
    return skip(
      CHECK,
      text(
        `The proxy in front answers (${en}); the callback server does not run yet`,
        `前置代理有回答（${zh}）；回调服务器尚未运行`,
      ),
      START,
    );
  }
  const means = text(
    `What answers at ${uri} is not the callback server (${en})`,
    `${uri} 上回答的不是回调服务器（${zh}）`,
  );
  const remedy = NOBODY_BEHIND.has(status)
    ? text(
        'The proxy in front does not get to the callback server: compare its target with CALLBACK_SERVER_HOST and CALLBACK_SERVER_PORT.',
        '前置代理连不上回调服务器：核对它的转发目标与 CALLBACK_SERVER_HOST、CALLBACK_SERVER_PORT。',
      )
    : text(
        `Let the proxy or server at this address pass ${new URL(uri).pathname} on to the callback server, without a login in between.`,
        `请让该地址上的代理或服务器把 ${new URL(uri).pathname} 转发给回调服务器，中间不要有登录。`,
      );
  return fail(CHECK, 'configuration', means, remedy);
}

function redirected(uri: string, location: string | null, status: number): Finding {
  const [en, zh] = location === null ? ['', ''] : [` to ${location}`, `到 ${location}`];
  const means = text(`${uri} redirects${en} (HTTP ${status})`, `${uri} 会跳转${zh}（HTTP ${status}）`);
  if (location !== null && location === uri.replace(/^http:/, 'https:')) {
    const remedy = text(
      `Set OAUTH_REDIRECT_URI=${location} and register exactly that in the console: a browser sends the code in clear before it is redirected.`,
      `设置 OAUTH_REDIRECT_URI=${location}，并在开发者后台登记完全相同的地址：浏览器在跳转之前已用明文发送授权码。`,
    );
    return fail(CHECK, 'configuration', means, remedy);
  }
  const remedy = text(
    'Let the proxy pass the address on without a redirect or login, or set OAUTH_REDIRECT_URI to where the callback server is and register exactly that.',
    '让代理直接转发，不要跳转或要求登录；或把 OAUTH_REDIRECT_URI 设为回调服务器的实际地址，并登记完全相同的地址。',
  );
  return fail(CHECK, 'configuration', means, remedy);
}

function unreached(check: RedirectReachCheck, { code, reason }: Extract<Reply, { kind: 'none' }>): Finding {
  const { local, uri } = check;
  const [what, remedy] = UNREACHED[reason];
  const means = text(`From here ${what.en} (${code})`, `从本机看，${what.zh}（${code}）`);
  const waits = reason === 'refused' || reason === 'timeout' || reason === 'unreachable';
  if (waits && local === 'silent') return skip(CHECK, means, START);
  // Of this machine it is known: nobody else's browser is meant.
  const isCertain = BAD_CERTIFICATE.has(code) || code === WRONG_SPEECH || (waits && isLoopback(new URL(uri).hostname));
  if (isCertain) return fail(CHECK, 'network', means, remedy);
  return warn(CHECK, means, text(`${remedy.en} ${BROWSERS.en}`, `${remedy.zh}${BROWSERS.zh}`));
}

/** What OpenSSL says when the other side speaks plain HTTP. */
const WRONG_SPEECH = 'ERR_SSL_WRONG_VERSION_NUMBER';
const NO_WAY: Text = text(
  'Check the address, the firewall and that the proxy in front runs.',
  '检查地址、防火墙，以及前置代理是否在运行。',
);
const UNREACHED: Readonly<Record<NoReply, readonly [what: Text, remedy: Text]>> = {
  dns: [
    text('its name cannot be resolved', '域名无法解析'),
    text('Check the name and the DNS of the intranet.', '检查域名和内网 DNS。'),
  ],
  tls: [
    text('its certificate is not accepted, or it does not speak TLS', '证书不被接受，或对方不是 TLS'),
    text(
      'Renew the certificate or use one that holds this name; an authority of your own goes into NODE_EXTRA_CA_CERTS. https wants TLS on that port: on the proxy in front, or by HTTP_TLS_CERT_FILE.',
      '更新证书，或改用包含该域名的证书；自建的证书颁发机构请写入 NODE_EXTRA_CA_CERTS。https 要求该端口提供 TLS：由前置代理提供，或设置 HTTP_TLS_CERT_FILE。',
    ),
  ],
  refused: [text('nobody listens there', '没有程序在监听'), NO_WAY],
  timeout: [text('nobody answers in time', '没有及时回答'), NO_WAY],
  unreachable: [text('there is no connection', '连接不上'), NO_WAY],
};
