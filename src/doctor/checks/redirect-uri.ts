/**
 * OAUTH_REDIRECT_URI as it is written: Feishu compares it as text with what stands in 安全设置 > 重定向 URL (FEISHU.md
 * §6.1), and the user's browser must get there. Looks at the text only.
 */
import { isLoopback } from '../../config/addresses.js';
import type { Config } from '../../config/config.js';
import { type Finding, fail, pass, type Text, text, warn } from '../finding.js';

export interface RedirectUriCheck {
  readonly uri: string;
  readonly config: Pick<Config, 'callbackServer' | 'http'>;
}

type Trouble = readonly [what: Text, remedy: Text];

/** One line when nothing is wrong, else one for each trouble. */
export function checkRedirectUri(check: RedirectUriCheck): readonly Finding[] {
  const { uri } = check;
  const url = new URL(uri);
  if (url.username !== '' || url.password !== '') {
    const means = text('OAUTH_REDIRECT_URI holds a user name or password', 'OAUTH_REDIRECT_URI 含有用户名或密码');
    const remedy = text(
      'Take it out: every user and Feishu see this address.',
      '请去掉：所有用户和飞书都能看到这个地址。',
    );
    return [fail('redirect_uri', 'configuration', means, remedy)];
  }
  const troubles = troublesOf(uri, url);
  if (troubles.length > 0) {
    return troubles.map(([{ en, zh }, remedy]) => warn('redirect_uri', text(`${uri} ${en}`, `${uri} ${zh}`), remedy));
  }
  const hint = portHint(check);
  const means = text(
    `${uri} is spelled as browsers and Feishu read it${hint.en}`,
    `${uri} 的写法与浏览器和飞书的理解一致${hint.zh}`,
  );
  return [pass('redirect_uri', means)];
}

function troublesOf(uri: string, url: URL): readonly Trouble[] {
  const [, authority = '', path = ''] = /^[^:]*:\/\/([^/?#]*)([^?#]*)/.exec(uri) ?? [];
  const local = isLoopback(url.hostname);
  return [
    ...(local ? [LOCAL] : []),
    ...(url.protocol === 'http:' && !local ? [PLAIN] : []),
    ...(/^[^:]*[A-Z]/.test(uri) || /[A-Z]/.test(authority) ? [UPPER_CASE] : []),
    ...(/:(\d+)$/.test(authority) && url.port === '' ? [DEFAULT_PORT] : []),
    ...(path === '' ? [NO_PATH] : []),
    ...(path.endsWith('/') ? [TRAILING_SLASH] : []),
    ...(/%|[^\x21-\x7e]/.test(uri) ? [ENCODED] : []),
    ...(/\/\/|\/\.{1,2}(\/|$)/.test(path) ? [DOTS] : []),
    ...(url.search !== '' || uri.includes('?') ? [QUERY] : []),
  ];
}

const WRITE = text(
  'Then register the new one, exactly as written, in the console.',
  '改后在开发者后台登记完全相同的地址。',
);
const change = (en: string, zh: string): Text => text(`${en} ${WRITE.en}`, `${zh}${WRITE.zh}`);

const LOCAL: Trouble = [
  text('reaches the callback server from a browser on this machine only', '只有本机上的浏览器才能打开'),
  change(
    'Use a name or address that the users reach; one of the intranet is enough, as their browsers follow the redirect, not Feishu.',
    '请改用用户能访问的域名或地址；内网地址即可，因为跳转由用户的浏览器完成，而不是飞书。',
  ),
];
const PLAIN: Trouble = [
  text('is http: the authorization code crosses the network in clear', '是 http：授权码以明文经过网络'),
  change(
    'Use https: a certificate on the proxy in front, or HTTP_TLS_CERT_FILE and HTTP_TLS_KEY_FILE.',
    '请使用 https：在前置代理上配置证书，或设置 HTTP_TLS_CERT_FILE 和 HTTP_TLS_KEY_FILE。',
  ),
];
const UPPER_CASE: Trouble = [
  text(
    'has upper case in its scheme or host: browsers write those in lower case',
    '的协议或域名含大写字母：浏览器会改成小写',
  ),
  change('Write scheme and host in lower case.', '请把协议和域名写成小写。'),
];
const DEFAULT_PORT: Trouble = [
  text('writes out the default port: browsers leave it out', '写出了默认端口：浏览器会省略它'),
  change('Leave the port out.', '请去掉端口。'),
];
const NO_PATH: Trouble = [
  text('has no path: browsers add a slash', '没有路径：浏览器会补上斜杠'),
  change('End it with /callback.', '请以 /callback 结尾。'),
];
const TRAILING_SLASH: Trouble = [
  text('ends with a slash: to Feishu it is another address than without', '以斜杠结尾：飞书视为与不带斜杠不同的地址'),
  change('Leave the slash out (the usual path is /callback).', '请去掉结尾的斜杠（通常的路径是 /callback）。'),
];
const ENCODED: Trouble = [
  text(
    'has characters that can be written in several ways (%, or beyond ASCII)',
    '含有可以有多种写法的字符（% 或非 ASCII）',
  ),
  change('Use letters, digits, dots and hyphens only.', '请只用字母、数字、点和连字符。'),
];
const DOTS: Trouble = [
  text(
    'has //, /./ or /../ in its path: browsers and proxies change that',
    '的路径含 //、/./ 或 /../：浏览器和代理会改写',
  ),
  change('Write the path plainly.', '请直接写出路径。'),
];
const QUERY: Trouble = [
  text(
    'has a query, which Feishu does not compare and adds its own to',
    '带有查询参数：飞书不比较它，还会追加自己的参数',
  ),
  change('Leave everything from the ? on out.', '请去掉 ? 及其后的内容。'),
];

/** No trouble, as long as a proxy is there; whether it is shows when the address is opened. */
function portHint({ config: { callbackServer, http }, uri }: RedirectUriCheck): Text {
  const { port, protocol } = new URL(uri);
  const named = Number(port || (protocol === 'https:' ? 443 : 80));
  const speaksAlike = (protocol === 'https:') === (http.tls !== null);
  if ((named === callbackServer.port && speaksAlike) || callbackServer.trustedProxies.length > 0) return text('', '');
  return text(
    `; a proxy must stand in front of the callback server (${protocol.slice(0, -1)}, port ${named} → ${http.tls === null ? 'http' : 'https'}, CALLBACK_SERVER_PORT ${callbackServer.port}): name it in CALLBACK_SERVER_TRUSTED_PROXIES, else all users count as one`,
    `；回调服务器前面须有代理（${protocol.slice(0, -1)} 端口 ${named} → ${http.tls === null ? 'http' : 'https'} CALLBACK_SERVER_PORT ${callbackServer.port}）：请在 CALLBACK_SERVER_TRUSTED_PROXIES 填写它，否则所有用户会被当作同一个地址`,
  );
}
