/**
 * Redis: can it be reached, is it one we can rely on (CONTRACT §9), is its clock ours. Reads only.
 */
import type { Redis } from 'ioredis';
import type { Config } from '../../config/config.js';
import type { RedisContact, RedisTrouble } from '../../store/connect-once.js';
import { type RedisFacts, readRedisFacts } from '../../store/redis-checks.js';
import { type Finding, fail, pass, skip, type Text, text, warn } from '../finding.js';
import { checkProtection } from './redis-protection.js';

/** BullMQ refuses older ones. */
const OLDEST: Version = [5, 0];
/** BullMQ recommends this one or later. */
const RECOMMENDED: Version = [6, 2];
/** Milliseconds; within it come network and scheduling. */
const CLOCK_TOLERANCE_MS = 2_000;

type Version = readonly [major: number, minor: number];

export interface RedisChecks {
  readonly redis: Config['redis'];
  readonly contact: RedisContact;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export async function checkRedis({ contact, now, redis }: RedisChecks): Promise<readonly Finding[]> {
  const { host } = new URL(redis.url);
  const protection = checkProtection(redis.url);
  if (!contact.ok) return [troubleFinding(contact, host), protection];
  const facts = await readRedisFacts(contact.redis);
  return [
    await checkServer(contact.redis, facts, { host, ms: contact.ms }),
    checkEviction(facts, redis.allowEviction),
    checkPersistence(facts),
    await checkClock(contact.redis, now),
    protection,
  ];
}

const TROUBLE: Readonly<Record<RedisTrouble, Text>> = {
  dns: text('its host name cannot be resolved', '域名无法解析'),
  unreachable: text('there is no connection', '连接不上'),
  silent: text('it takes the connection and does not answer', '能连上，但没有回答'),
  credentials: text('it does not accept the user or password', '不接受用户名或密码'),
  refused: text('it answers, and serves nothing now', '有回答，但现在不提供服务'),
  tls: text('there is no TLS connection', '无法建立 TLS 连接'),
  no_redis: text('something else than Redis answers there', '回答的不是 Redis'),
};

function troubleFinding({ code, trouble }: RedisContact & { readonly ok: false }, host: string): Finding {
  const why = TROUBLE[trouble];
  const means = text(`Redis at ${host}: ${why.en} (${code})`, `Redis（${host}）：${why.zh}（${code}）`);
  if (trouble === 'credentials') {
    const remedy = text(
      'Correct user and password in REDIS_URL; the user must be allowed all commands on keys of REDIS_KEY_PREFIX.',
      '改正 REDIS_URL 里的用户名和密码；该用户须能对 REDIS_KEY_PREFIX 下的键执行所有命令。',
    );
    return fail('redis', 'configuration', means, remedy);
  }
  const remedy = text(
    'Check REDIS_URL, that Redis runs, and the firewall. The daemon waits for it, and does nothing until it is there.',
    '检查 REDIS_URL、Redis 是否在运行以及防火墙。守护进程会一直等待，在此之前什么也做不了。',
  );
  return fail('redis', 'network', means, remedy);
}

async function checkServer(
  redis: Redis,
  { version }: RedisFacts,
  { host, ms }: { readonly host: string; readonly ms: number },
): Promise<Finding> {
  const there = text(
    `Redis ${version} at ${host} answers in ${ms} ms`,
    `Redis ${version}（${host}）在 ${ms} 毫秒内回答`,
  );
  if (/^role:slave/m.test(await redis.info('replication'))) {
    const means = text(`${there.en}, but is a replica: it takes no writes`, `${there.zh}，但它是从库，不接受写入`);
    return fail('redis', 'configuration', means, text('Name the primary in REDIS_URL.', '把 REDIS_URL 指向主库。'));
  }
  const known = /^(\d+)\.(\d+)/.exec(version);
  const at: Version = known === null ? RECOMMENDED : [Number(known[1]), Number(known[2])];
  if (isOlder(at, OLDEST)) {
    const means = text(`${there.en}: too old`, `${there.zh}：版本太旧`);
    return fail('redis', 'configuration', means, text('Install Redis 6.2 or later.', '请安装 Redis 6.2 或更新版本。'));
  }
  if (!isOlder(at, RECOMMENDED)) return pass('redis', there);
  const means = text(`${there.en}: older than 6.2`, `${there.zh}：低于 6.2`);
  return warn('redis', means, text('Install Redis 6.2 or later.', '请安装 Redis 6.2 或更新版本。'));
}

const isOlder = (one: Version, other: Version): boolean =>
  one[0] < other[0] || (one[0] === other[0] && one[1] < other[1]);

function checkEviction({ maxmemoryPolicy: policy }: RedisFacts, allowed: boolean): Finding {
  if (policy === 'noeviction')
    return pass('redis.eviction', text('maxmemory-policy is noeviction', '淘汰策略为 noeviction'));
  const remedy = text(
    'Set "maxmemory-policy noeviction" in redis.conf.',
    '在 redis.conf 里设置 maxmemory-policy noeviction。',
  );
  if (policy === 'unknown') {
    return skip('redis.eviction', text('Redis does not tell its maxmemory-policy', 'Redis 没有告知淘汰策略'), remedy);
  }
  const means = text(
    `maxmemory-policy is ${policy}: Redis throws tokens away when its memory is full`,
    `淘汰策略为 ${policy}：内存用满时 Redis 会丢弃 token`,
  );
  if (allowed) return warn('redis.eviction', means, remedy);
  return fail('redis.eviction', 'configuration', means, remedy);
}

function checkPersistence({ appendFsync, appendOnly }: RedisFacts): Finding {
  if (appendOnly === 'unknown') {
    return skip(
      'redis.persistence',
      text('Redis does not let its persistence be looked at (CONFIG)', 'Redis 不允许查看持久化设置（CONFIG）'),
      text(
        'Make sure with whoever runs it that each write is on disk within a second.',
        '请向其运维确认：每次写入一秒内落盘。',
      ),
    );
  }
  if (appendOnly === 'no') {
    return warn(
      'redis.persistence',
      text(
        'Append-only persistence is off: a restart of Redis loses tokens',
        '没有开启 AOF 持久化：Redis 重启会丢失 token',
      ),
      text(
        'Set "appendonly yes" and "appendfsync everysec" (or always) in redis.conf.',
        '在 redis.conf 里设置 appendonly yes 和 appendfsync everysec（或 always）。',
      ),
    );
  }
  if (appendFsync === 'no') {
    return warn(
      'redis.persistence',
      text(
        'appendfsync is no: a power cut loses what the system had not written yet, often half a minute',
        'appendfsync 为 no：断电会丢失系统尚未写盘的数据，往往达半分钟',
      ),
      text(
        'Set "appendfsync everysec" (or always) in redis.conf.',
        '在 redis.conf 里设置 appendfsync everysec（或 always）。',
      ),
    );
  }
  return pass(
    'redis.persistence',
    text(`appendonly is yes, appendfsync is ${appendFsync}`, `appendonly 为 yes，appendfsync 为 ${appendFsync}`),
  );
}

/** Redis's clock decides what has expired, ours when jobs wake. */
async function checkClock(redis: Redis, now: () => number): Promise<Finding> {
  const before = now();
  const [seconds, microseconds] = await redis.time();
  const middle = (before + now()) / 2;
  const aheadMs = Math.round(Number(seconds) * 1000 + Number(microseconds) / 1000 - middle);
  if (Math.abs(aheadMs) <= CLOCK_TOLERANCE_MS) {
    return pass('redis.clock', text('The clocks of Redis and of this machine agree', 'Redis 与本机的时钟一致'));
  }
  const off = Math.round(Math.abs(aheadMs) / 1000);
  return warn(
    'redis.clock',
    text(
      `Redis's clock is ${off} s ${aheadMs > 0 ? 'ahead of' : 'behind'} this machine's`,
      `Redis 的时钟比本机${aheadMs > 0 ? '快' : '慢'} ${off} 秒`,
    ),
    text(
      'Set both clocks by NTP: sessions and tokens end by them.',
      '请用 NTP 校准两边的时钟：会话和 token 都按它们到期。',
    ),
  );
}
