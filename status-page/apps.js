/** What belongs to one app: sessions of the last hour, grants, call budgets. Several apps stand below each other. */
import { el, share } from './dom.js';
import { section, unknown } from './fleet.js';

/** In the order in which a session lives; the tones are those of the style sheet. */
const STATES = ['completed', 'authorizing', 'pending', 'superseded', 'invalidated', 'rejected', 'expired', 'failed'];

const perApp = (apps, draw) =>
  apps.map((app) => el('div.app', {}, apps.length > 1 ? el('h3', {}, el('code', {}, app.app_id)) : null, ...draw(app)));

export function drawSessions({ apps }, view) {
  const { texts } = view;
  const draw = ({ sessions }) => {
    if (sessions === null) return [unknown(texts)];
    if (sessions.created === 0) return [el('p.quiet', {}, texts.noSessions)];
    return sessionParts(sessions, view);
  };
  return section('sessions', texts.sessions, ...perApp(apps, draw));
}

function sessionParts({ by_state: byState, counted, created, failures, newest }, { formats, language, texts }) {
  const states = STATES.filter((state) => byState[state] > 0);
  const bar = states.map((state) => share(el('i', { 'data-session': state }), byState[state] / counted));
  const legend = states.map((state) =>
    el(
      'li',
      {},
      el('span.swatch', { 'data-session': state }),
      `${texts.sessionStates[state]} `,
      el('b', {}, formats.whole(byState[state])),
    ),
  );
  const why = failures.map(({ cause, count, failure_reason: reason }) =>
    el('li', {}, el('b', {}, formats.whole(count)), ` × ${cause?.[language] ?? reason}`),
  );
  const rows = newest.map((session) =>
    el(
      'li',
      { 'data-session-id': session.session_id },
      el('span.swatch', { 'data-session': session.state }),
      el('span', {}, texts.sessionStates[session.state]),
      el('span.quiet', {}, texts.byClient(session.client_id)),
      el(
        'time.quiet',
        { datetime: session.created_at, title: formats.moment(session.created_at) },
        formats.ago(session.created_at),
      ),
      el('code.quiet.id', {}, session.session_id),
    ),
  );
  return [
    el('p.total', {}, el('b', {}, formats.whole(created)), ` ${texts.asked}`),
    el('div.bar', { 'aria-hidden': 'true' }, ...bar),
    el('ul.legend', {}, ...legend),
    counted < created ? el('p.quiet', {}, texts.newestOnly(formats.whole(counted))) : null,
    why.length > 0 ? el('ul.failures', {}, ...why) : null,
    el('h4', {}, texts.newest),
    el('ul.newest', {}, ...rows),
  ];
}

const GRANTS = ['active', 'suspended', 'reauthorization_required', 'revoked'];
const EXPIRING = ['expiring_within_1d', 'expiring_within_7d'];

export function drawGrants({ apps }, { formats, texts }) {
  const tile = (grants) => (name) =>
    el(
      'div.tile',
      { 'data-grants': name, 'data-tone': name === 'suspended' && grants[name] > 0 ? 'bad' : null },
      el('b', {}, formats.whole(grants[name])),
      el('span', {}, texts.grantStates[name]),
    );
  const draw = ({ grants }) => {
    if (grants === null) return [unknown(texts)];
    return [
      el('div.tiles', {}, ...GRANTS.map(tile(grants))),
      el(
        'p.quiet',
        {},
        EXPIRING.map((name) => `${texts.grantStates[name]}: ${formats.whole(grants[name])}`).join(' · '),
        ` (${texts.unlessRenewed})`,
      ),
    ];
  };
  return section('grants', texts.grants, ...perApp(apps, draw));
}

const FULL = 0.75;

export function drawBudgets({ apps }, { formats, texts }) {
  const draw = ({ budgets }) => {
    if (budgets === null) return [unknown(texts)];
    const used = budgets.filter(({ used_ratio: ratio }) => ratio > 0).sort((a, b) => b.used_ratio - a.used_ratio);
    const rows = used.map(({ api, used_ratio: ratio }) =>
      el(
        'li',
        { 'data-api': api },
        el('code', {}, api),
        el('span.number', {}, formats.percent(ratio)),
        el('div.gauge', { 'data-tone': ratio > FULL ? 'bad' : null }, share(el('i'), ratio)),
      ),
    );
    const rest = budgets.length - used.length;
    return [el('ul.gauges', {}, ...rows), rest > 0 ? el('p.quiet', {}, texts.unused(rest)) : null];
  };
  return section('budgets', texts.budgets, ...perApp(apps, draw));
}
