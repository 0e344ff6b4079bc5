/** The processes of the fleet with their long connections, the queues, the store. */
import { el } from './dom.js';

export function drawProcesses({ apps, processes, redis }, { formats, texts }) {
  const rows = processes.map((process) =>
    el(
      'article.process',
      { 'data-process': process.process },
      el(
        'header',
        {},
        el('strong', {}, process.process),
        ...process.roles.map((role) => el('span.role', {}, texts.roles[role] ?? role)),
      ),
      el(
        'p.quiet',
        {},
        [
          texts.up(formats.since(process.started_at)),
          process.version,
          process.answers ? texts.thisOne : null,
          process.silent_seconds > 20 ? texts.silent(formats.span(process.silent_seconds)) : null,
        ]
          .filter((part) => part !== null)
          .join(' · '),
      ),
      ...process.connections.map((connection) => drawConnection(connection, formats, texts)),
    ),
  );
  const hasGateway = processes.some(({ roles }) => roles.includes('gateway'));
  const isWanted = apps.some(({ callbacks }) => callbacks === 'long_connection');
  const nobody = hasGateway || !isWanted ? null : el('p.bad', {}, texts.noConnections);
  const rest = redis.answers ? nobody : el('p.quiet', {}, texts.othersUnknown);
  return section('connections', texts.connections, ...rows, rest);
}

function drawConnection({ app_id: appId, last_event_at: lastEventAt, since, state, trouble }, formats, texts) {
  const tone = { connected: 'good', connecting: 'fair', reconnecting: 'fair' }[state] ?? 'bad';
  return el(
    'div.connection',
    { 'data-app': appId, 'data-state': state },
    el('span.dot', { 'data-tone': tone, 'aria-hidden': 'true' }),
    el(
      'div',
      {},
      el(
        'p',
        {},
        el('code', {}, appId),
        ` ${texts.states[state]} `,
        el('span.quiet', { title: formats.moment(since) }, texts.stateFor(formats.since(since))),
      ),
      el(
        'p.quiet',
        {},
        lastEventAt === null ? texts.noEvent : texts.lastEvent(formats.ago(lastEventAt)),
        trouble === null ? null : ` · ${trouble.cause}${trouble.feishu_code === null ? '' : ` ${trouble.feishu_code}`}`,
      ),
    ),
  );
}

const JOB_STATES = ['waiting', 'active', 'delayed', 'failed'];
const LATE_SECONDS = 60;

export function drawQueues({ processes, queues }, { formats, texts }) {
  if (queues === null) return section('queues', texts.queues, unknown(texts));
  const stalled = new Set(processes.flatMap((process) => process.stalled_queues));
  const head = el(
    'tr',
    {},
    el('th', { scope: 'col' }, texts.queue),
    ...JOB_STATES.map((state) => el('th.number', { scope: 'col' }, texts.jobStates[state])),
    el('th.number', { scope: 'col' }, texts.oldest),
  );
  const rows = queues.map(({ jobs, oldest_age_seconds: age, queue }) =>
    el(
      'tr',
      { 'data-queue': queue },
      el('th', { scope: 'row' }, queue),
      ...JOB_STATES.map((state) => count(jobs[state] ?? 0, formats)),
      el(
        'td.number',
        { 'data-tone': age >= LATE_SECONDS || stalled.has(queue) ? 'bad' : null },
        age < 1 ? '–' : formats.span(age),
      ),
    ),
  );
  return section('queues', texts.queues, el('table', {}, el('thead', {}, head), el('tbody', {}, ...rows)));
}

const count = (value, formats) => el(value === 0 ? 'td.number.quiet' : 'td.number', {}, formats.whole(value));

export function drawStore(status, { formats, texts }) {
  const { encryption_keys_missing: missing, processes, redis } = status;
  const known = processes.map(({ spool_entries: entries }) => entries);
  const spooled = known.reduce((sum, entries) => sum + (entries ?? 0), 0);
  return section(
    'store',
    texts.store,
    el(
      'dl.facts',
      {},
      ...fact(texts.redis, redis.answers ? texts.redisUp : texts.redisDown, redis.answers),
      ...fact(texts.persistence, ...saidOf(redis.persistence_ok, texts.persistenceOk, texts.persistenceOff, texts)),
      ...fact(
        texts.keys,
        ...saidOf(missing === null ? null : missing === 0, texts.keysThere, texts.keysMissing(missing), texts),
      ),
      ...fact(
        texts.spool,
        known.includes(null) ? texts.unreadable : texts.spoolEntries(formats.whole(spooled)),
        !known.includes(null),
      ),
    ),
  );
}

const saidOf = (ok, good, bad, texts) => (ok === null ? [texts.notKnown, null] : [ok ? good : bad, ok]);

/** By what is known: null is nothing. */
const TONES = new Map([
  [null, 'fair'],
  [true, 'good'],
  [false, 'bad'],
]);

const fact = (name, value, ok) => [
  el('dt', {}, name),
  el('dd', {}, el('span.dot', { 'data-tone': TONES.get(ok), 'aria-hidden': 'true' }), value),
];

export const unknown = (texts) => el('p.quiet', {}, texts.notKnown);

export function section(name, title, ...children) {
  return el('section.card', { 'data-section': name }, el('h2', {}, title), ...children);
}
