/** How an app is configured to work: by which grant, kind of message and way of callbacks. Says, judges nothing. */
import type { AppConfig } from '../../config/config.js';
import { type Finding, pass, type Text, text } from '../finding.js';

const GRANTS: Readonly<Record<AppConfig['authGrant'], Text>> = {
  device_code: text(
    'consent by device_code (links made by Feishu, polled)',
    '授权方式 device_code（飞书生成链接，轮询结果）',
  ),
  authorization_code: text(
    'consent by authorization_code (browsers come back to the callback server)',
    '授权方式 authorization_code（浏览器跳回回调服务器）',
  ),
};
const CARDS: Readonly<Record<AppConfig['card'], Text>> = {
  card: text('users are asked by a card', '用卡片询问用户'),
  link: text('users are asked by a message with a link', '用带链接的消息询问用户'),
};
const WAYS: Readonly<Record<AppConfig['cardCallback'], Text>> = {
  long_connection: text('clicks come by the long connection', '点击经长连接送达'),
  http: text('clicks come by HTTP', '点击经 HTTP 送达'),
};

export function setupFinding({ appId, authGrant, card, cardCallback }: AppConfig): Finding {
  const parts = [GRANTS[authGrant], CARDS[card], WAYS[cardCallback]];
  const sentence = parts.map(({ en }) => en).join('; ');
  const means = text(sentence.charAt(0).toUpperCase() + sentence.slice(1), parts.map(({ zh }) => zh).join('；'));
  const settings = { auth_grant: authGrant, card, card_callback: cardCallback };
  return pass('setup', means, { appId, settings });
}
