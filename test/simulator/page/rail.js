/** The narrow bar at the left: who sits here, the interface language, and that this is a simulator. */
import { avatar, el } from './dom.js';
import { words } from './texts.js';

const LANGUAGES = [
  ['zh_cn', '中'],
  ['en_us', 'EN'],
];

export function drawRail({ view, onLocale, onUser }) {
  const user = view.state.users.find((candidate) => candidate.user_id === view.userId);
  return [
    el(
      'label.rail-user',
      { title: words(view.locale, 'youAre') },
      avatar(user?.name ?? '?'),
      el('span.rail-caption', {}, words(view.locale, 'youAre')),
      drawUserSelect(view, onUser),
    ),
    el('div.rail-space'),
    el(
      'div.rail-languages',
      { role: 'group' },
      ...LANGUAGES.map(([locale, label]) =>
        el(
          'button',
          {
            type: 'button',
            'data-testid': `language-${locale}`,
            'aria-pressed': String(locale === view.locale),
            onclick: () => onLocale(locale),
          },
          label,
        ),
      ),
    ),
  ];
}

function drawUserSelect(view, onUser) {
  const select = el('select', { 'data-testid': 'acting-user', onchange: () => onUser(select.value) });
  for (const user of view.state.users) select.append(el('option', { value: user.user_id }, user.name));
  select.value = view.userId ?? '';
  return select;
}
