/** Whether Redis is reached in a way that nobody on the network can join. Looks at its address only. */
import { isLoopback } from '../../config/addresses.js';
import { type Finding, pass, text, warn } from '../finding.js';

/** Tokens are sealed, but whoever can write to Redis can end sessions and grants. */
export function checkProtection(redisUrl: string): Finding {
  const { hostname, password, protocol } = new URL(redisUrl);
  if (isLoopback(hostname)) return pass('redis.protection', text('It is reached over loopback', '经本机回环地址访问'));
  const gaps = [
    ...(password === '' ? [text('without a password', '没有密码')] : []),
    ...(protocol === 'rediss:' ? [] : [text('without TLS', '没有 TLS')]),
  ];
  if (gaps.length === 0) return pass('redis.protection', text('Password and TLS are used', '使用了密码和 TLS'));
  return warn(
    'redis.protection',
    text(
      `Redis is reached over a network ${gaps.map(({ en }) => en).join(' and ')}`,
      `经网络访问 Redis，${gaps.map(({ zh }) => zh).join('，')}`,
    ),
    text(
      'Give Redis a password (requirepass, or an ACL user) and TLS (rediss://), or keep it on a network of its own.',
      '给 Redis 设置密码（requirepass 或 ACL 用户）和 TLS（rediss://），或放进单独的网络。',
    ),
  );
}
