/** The pages about requests that bring no redirect at all: wrong paths, wrong methods, too many of them, our faults. */
import type { LocalizedText } from '../../../config/config.js';
import { type Content, contentOf, type Tone } from './content.js';

const NEXT: LocalizedText = {
  zh_cn: '要授权，请回到你与机器人的聊天，在最新的申请上点「授权」。',
  en_us: 'To authorize, go back to your chat with the bot and press "Authorize" on the newest request.',
};

const problem = (tone: Tone, title: LocalizedText, happened: LocalizedText, next: LocalizedText = NEXT): Content =>
  contentOf({ tone, title, happened: [happened], next: [next] });

const NOT_FOUND = problem(
  'plain',
  { zh_cn: '没有这个页面', en_us: 'There is no such page' },
  { zh_cn: '这个地址下什么也没有。', en_us: 'There is nothing at this address.' },
);

const WRONG_METHOD = problem(
  'plain',
  { zh_cn: '不支持这种请求', en_us: 'This kind of request is not served' },
  { zh_cn: '这个地址只能在浏览器里打开。', en_us: 'This address can only be opened in a browser.' },
);

const TOO_MANY = problem(
  'attention',
  { zh_cn: '请求太多，请稍后再试', en_us: 'Too many requests, please try again later' },
  {
    zh_cn: '短时间内来自你所在网络的请求太多。没有改变任何东西。',
    en_us: 'Too many requests came from your network in a short time. Nothing has changed.',
  },
  {
    zh_cn: '请让此页开着，它会在 {{seconds}} 秒后自动再试一次；不行的话，请从你与机器人的聊天里重新打开授权链接。',
    en_us:
      'Leave this page open: it tries again in {{seconds}} seconds. If that does not help, open the authorization link in your chat with the bot once more.',
  },
);

/** She does not have to do anything herself: the one who asks too often may be somebody else behind her address. */
const tooMany = (retryAfterSeconds: number): Content => {
  const seconds = String(retryAfterSeconds);
  return {
    ...TOO_MANY,
    variables: { seconds: { zh_cn: seconds, en_us: seconds } },
    refreshSeconds: retryAfterSeconds,
  };
};

const NOT_READABLE = problem(
  'bad',
  { zh_cn: '链接无效', en_us: 'This link is not valid' },
  {
    zh_cn: '这次请求无法识别：它可能太长，或者被改动过。没有改变任何东西。',
    en_us: 'This request could not be read: it may be too long or altered. Nothing has changed.',
  },
);

const FAULT = problem(
  'bad',
  { zh_cn: '我们这边出了错', en_us: 'Something went wrong on our side' },
  { zh_cn: '这与你的操作无关，我们已记录下来。', en_us: 'You did nothing wrong; it has been recorded.' },
  {
    zh_cn: '请过一会儿再刷新此页；结果会显示在你与机器人的聊天里。',
    en_us: 'Reload this page in a while; your chat with the bot shows how it went.',
  },
);

/** By HTTP status. @param headers of the answer; of a 429 when to come back */
export function problemContent(status: number, headers: Readonly<Record<string, string>> = {}): Content {
  if (status === 404) return NOT_FOUND;
  if (status === 405) return WRONG_METHOD;
  if (status === 429) return tooMany(Number(headers['retry-after'] ?? 1));
  return status >= 500 ? FAULT : NOT_READABLE;
}
