/**
 * Builds DOM nodes. Text only ever enters as text nodes: nothing in these pages uses innerHTML, so what a bot, a user
 * or a test writes can never become markup.
 */

/**
 * @param {string} tag `div`, or with classes: `div.card.wide`
 * @param {Record<string, unknown>} [attributes] `on…` functions become listeners, null and false are left out
 * @param {...(Node | string | null | undefined | false)} children
 */
export function el(tag, attributes = {}, ...children) {
  const [name, ...classes] = tag.split('.');
  const node = document.createElement(name);
  if (classes.length > 0) node.className = classes.join(' ');
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === 'function') node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value === true ? '' : String(value));
  }
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** An icon from one SVG path, drawn in a 24 by 24 box with the current colour. */
export function icon(path, size = 16) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  for (const [key, value] of Object.entries({
    viewBox: '0 0 24 24',
    width: size,
    height: size,
    'aria-hidden': 'true',
  })) {
    svg.setAttribute(key, String(value));
  }
  const line = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  line.setAttribute('d', path);
  svg.append(line);
  svg.classList.add('icon');
  return svg;
}

export const ICONS = {
  check: 'M4.5 12.5l5 5 10-11',
  cross: 'M6 6l12 12M18 6L6 18',
  info: 'M12 11v6M12 7v.5M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z',
  warning: 'M12 9v5M12 17v.5M12 3.5L2.5 20h19z',
  down: 'M6 9l6 6 6-6',
  external: 'M14 4h6v6M20 4l-9 9M18 14v6H4V6h6',
};

/** A round picture with the first character of a name, its colour chosen by the name. */
export function avatar(name, kind = 'person') {
  const colours = ['#3370ff', '#7f3bf5', '#00b2a6', '#f77234', '#d14ea8', '#2ea121', '#037eaa'];
  let sum = 0;
  for (const character of name) sum += character.codePointAt(0) ?? 0;
  const node = el(`span.avatar.${kind}`, { 'aria-hidden': 'true' }, [...name][0] ?? '?');
  node.style.setProperty('--avatar', colours[sum % colours.length]);
  return node;
}
