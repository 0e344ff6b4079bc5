/** What is kept of the log for the status page: warnings and errors, counted, bounded, and as clean as the log. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AuthdError } from '../../src/errors.js';
import { createLastTroubles } from '../../src/telemetry/last-troubles.js';
import { createLogger } from '../../src/telemetry/logger.js';
import { createScrubber } from '../../src/telemetry/scrubber.js';

function newLog(format: 'json' | 'pretty' = 'json') {
  const troubles = createLastTroubles();
  const scrubber = createScrubber();
  const destination = { write: () => undefined };
  const logger = createLogger({ level: 'debug', format, scrubber, destination, onTrouble: troubles.note });
  return { logger, scrubber, troubles };
}

describe('the last troubles', () => {
  for (const format of ['json', 'pretty'] as const) {
    it(`are the lines that warn or complain, whatever format the log has (${format})`, () => {
      const { logger, troubles } = newLog(format);
      logger.info({ event: 'session.created' }, 'fine');
      logger.warn({ event: 'redis.away' }, 'Redis is not there yet');
      logger.child({ app_id: 'cli_a' }).error({ event: 'card.update_failed', feishu_code: 230020, log_id: 'l' }, 'bad');
      logger.warn('a line that is no event of the flow');
      const seen = troubles.list().map(({ firstAt, lastAt, ...trouble }) => trouble);
      const nothing = { appId: null, cause: null, feishuCode: null, logId: null, count: 1 };
      assert.deepEqual(seen, [
        {
          ...nothing,
          level: 'error',
          event: 'card.update_failed',
          appId: 'cli_a',
          feishuCode: 230020,
          logId: 'l',
          message: 'bad',
        },
        { ...nothing, level: 'warn', event: 'redis.away', message: 'Redis is not there yet' },
      ]);
      assert.ok(Math.abs(Date.now() - (troubles.list()[0]?.lastAt ?? 0)) < 5_000);
    });
  }

  it('count the same one instead of repeating it, also what a flood gate has held back', () => {
    const { logger, troubles } = newLog();
    logger.warn({ event: 'redis.error', log_id: 'first' }, 'Redis: trouble');
    logger.warn({ event: 'queue.error' }, 'Queue: trouble');
    logger.warn({ event: 'redis.error', log_id: 'second', repeated: 9 }, 'Redis: more trouble');
    const [newest, ...others] = troubles.list();
    assert.deepEqual(
      [newest?.event, newest?.count, newest?.logId, newest?.message],
      ['redis.error', 10, 'second', 'Redis: more trouble'],
    );
    assert.ok((newest?.firstAt ?? 0) <= (newest?.lastAt ?? 0));
    assert.deepEqual(
      others.map(({ event }) => event),
      ['queue.error'],
    );
  });

  it('tell why by a code of the error or by the cause, and keep the codes of Feishu apart', () => {
    const { logger, troubles } = newLog();
    const refused = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
    logger.warn({ event: 'redis.error', err: refused }, 'x');
    logger.warn({ event: 'ws.connect_failed', cause: 'forbidden', feishu_code: 403 }, 'x');
    logger.warn({ event: 'ws.connect_failed', cause: 'credentials', feishu_code: 514 }, 'x');
    logger.error({ event: 'job', err: new AuthdError('internal_error', 'm', { feishuCode: 7, logId: 'n' }) }, 'x');
    assert.deepEqual(
      troubles.list().map(({ cause, feishuCode, logId }) => [cause, feishuCode, logId]),
      [
        ['internal_error', 7, 'n'],
        ['credentials', 514, null],
        ['forbidden', 403, null],
        ['ECONNREFUSED', null, null],
      ],
    );
  });

  it('are twenty at most, and hold short texts', () => {
    const { logger, troubles } = newLog();
    for (let i = 0; i < 30; i += 1) logger.error({ event: `event.${i}` }, 'x'.repeat(1_000));
    const list = troubles.list();
    assert.equal(list.length, 20);
    assert.deepEqual([list[0]?.event, list.at(-1)?.event], ['event.29', 'event.10']);
    assert.ok(list.every(({ message }) => message.length <= 300));
  });

  it('hold no secret that the log would not hold', () => {
    const { logger, scrubber, troubles } = newLog();
    const secret = 'k3y-of-a-client-0123456789abcdef';
    scrubber.add(secret);
    logger.error({ event: 'card.update_failed', log_id: secret, reason: 'private' }, `refused: ${secret}`);
    const kept = JSON.stringify(troubles.list());
    assert.ok(!kept.includes('0123456789abcdef') && !kept.includes('private'), kept);
  });
});
