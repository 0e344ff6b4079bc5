/**
 * HTTP callbacks tried without Feishu: the question its console asks when an address is saved (FEISHU.md §9 no. 7, 13),
 * encrypted with our key, is posted to our own endpoint. The challenge in the answer proves route and key.
 */
import { createCipheriv, createHash, randomBytes } from 'node:crypto';
import type { AppConfig } from '../../config/config.js';
import { cardCallbackPath } from '../../domain/http-callback.js';
import { objectOf } from '../../domain/json-fields.js';
import type { Question, Reply } from '../ask-once.js';
import { cardCallbackAddress } from '../callback-addresses.js';
import { type Finding, fail, pass, skip, type Text, text, warn } from '../finding.js';
import { type LocalServer, START } from './callback-server.js';

export interface CardCallbackCheck {
  readonly app: Pick<AppConfig, 'appId' | 'encryptKey' | 'verificationToken'>;
  /** Of the callback server on this machine, without a path; null: not known. */
  readonly localAddress: string | null;
  readonly oauthRedirectUri: string | null;
  readonly local: LocalServer;
  readonly ask: (question: Pick<Question, 'url' | 'body' | 'anyCertificate'>) => Promise<Reply>;
}

export async function checkCardCallback(check: CardCallbackCheck): Promise<Finding> {
  const { app, local, localAddress, oauthRedirectUri } = check;
  const { appId } = app;
  const facts = { appId };
  if (local === 'silent' || local === 'wrong') {
    return skip(
      'card_callback',
      text('Not tried: the callback server does not run', '没有试：回调服务器没有运行'),
      START,
      facts,
    );
  }
  const tried: string[] = [];
  if (local === 'up' && localAddress !== null) {
    const url = `${localAddress}${cardCallbackPath(appId)}`;
    const trouble = await questionTrouble(check, url, true);
    if (trouble !== null) return fail('card_callback', 'configuration', trouble.means, trouble.remedy, facts);
    tried.push(url);
  }
  const { url } = cardCallbackAddress({ oauthRedirectUri }, appId);
  if (url !== null && !tried.includes(url)) {
    const trouble = await questionTrouble(check, url, false);
    // Feishu comes from the internet, and this machine may not get to its own public address.
    if (trouble !== null) return warn('card_callback', trouble.means, trouble.remedy, facts);
    tried.push(url);
  }
  if (tried.length === 0) {
    return skip(
      'card_callback',
      text('Not tried: the address is not known here', '没有试：此处不知道地址'),
      null,
      facts,
    );
  }
  const places = tried.join(', ');
  const means = text(
    `${places} opens what is encrypted with FEISHU_ENCRYPT_KEY and answers the question the console asks`,
    `${places} 能解开用 FEISHU_ENCRYPT_KEY 加密的内容，并正确回答后台的验证请求`,
  );
  return pass('card_callback', means, facts);
}

interface Trouble {
  readonly means: Text;
  readonly remedy: Text;
}

async function questionTrouble(
  { app, ask }: CardCallbackCheck,
  url: string,
  anyCertificate: boolean,
): Promise<Trouble | null> {
  const challenge = randomBytes(16).toString('hex');
  const reply = await ask({ url, body: consoleQuestion(app, challenge), anyCertificate });
  if (reply.kind === 'none') {
    return {
      means: text(`From here nobody answers at ${url} (${reply.code})`, `从本机看，${url} 没有回答（${reply.code}）`),
      remedy: text(
        'Feishu must reach this address from the internet, by https. If the name above is only for browsers in the intranet, use another for callbacks.',
        '飞书要从公网以 https 访问这个地址。若上面的域名只供内网浏览器使用，请为回调另用一个域名。',
      ),
    };
  }
  if (reply.status === 200 && challengeIn(reply.body) === challenge) return null;
  const means = text(
    `${url} does not answer the question the console asks (HTTP ${reply.status})`,
    `${url} 没有正确回答后台的验证请求（HTTP ${reply.status}）`,
  );
  return { means, remedy: remedyFor(reply.status) };
}

function remedyFor(status: number): Text {
  if (status === 401) {
    return text(
      'The running daemon has another FEISHU_ENCRYPT_KEY or FEISHU_VERIFICATION_TOKEN than this configuration: restart it with this one.',
      '运行中的守护进程的 FEISHU_ENCRYPT_KEY 或 FEISHU_VERIFICATION_TOKEN 与这份配置不同：请用这份配置重启。',
    );
  }
  if (status === 404) {
    return text(
      'The running daemon takes no HTTP callbacks for this app (restart it with this configuration), or the proxy in front does not pass the path on.',
      '运行中的守护进程没有为该应用接收 HTTP 回调（请用这份配置重启），或前置代理没有转发该路径。',
    );
  }
  if (status >= 300 && status < 400) {
    return text(
      'Feishu follows no redirects: let the proxy pass it on directly.',
      '飞书不跟随跳转：请让代理直接转发。',
    );
  }
  return text(
    'Let the proxy in front pass POST requests of this path on to the callback server as they are.',
    '请让前置代理把该路径的 POST 请求原样转发给回调服务器。',
  );
}

/** As the console words it: encrypted, without the headers of a signature. */
function consoleQuestion({ encryptKey, verificationToken }: CardCallbackCheck['app'], challenge: string): string {
  const plain = JSON.stringify({ challenge, token: verificationToken ?? '', type: 'url_verification' });
  const iv = randomBytes(16);
  const key = createHash('sha256')
    .update(encryptKey ?? '')
    .digest();
  const cipher = createCipheriv('aes-256-cbc', key, iv);
  return JSON.stringify({
    encrypt: Buffer.concat([iv, cipher.update(plain, 'utf8'), cipher.final()]).toString('base64'),
  });
}

function challengeIn(body: string): unknown {
  try {
    return objectOf(JSON.parse(body))['challenge'];
  } catch {
    return null;
  }
}
