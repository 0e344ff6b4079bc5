/** Builds DOM nodes. Text only ever enters as text nodes: nothing that a log line or Feishu says can become markup. */

/**
 * @param {string} tag `div`, or with classes: `div.card.wide`
 * @param {Record<string, unknown>} [attributes] `on…` functions become listeners; null and false are left out
 * @param {...(Node | string | number | null | undefined | false)} children
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
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== false).map(textual));
  return node;
}

const textual = (child) => (typeof child === 'number' ? String(child) : child);

/** An icon of one path in a 24 by 24 box, in the colour of the text. */
export function icon(path) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  svg.classList.add('icon');
  const line = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  line.setAttribute('d', path);
  svg.append(line);
  return svg;
}

export const ICONS = {
  check: 'M4.5 12.5l5 5 10-11',
  cross: 'M6 6l12 12M18 6L6 18',
  warning: 'M12 9v5M12 17v.5M12 3.5L2.5 20h19z',
  unknown: 'M9 9a3 3 0 1 1 4.5 2.6c-1 .6-1.5 1.2-1.5 2.4M12 17.5v.5M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z',
};

/** A share of a whole, 0 to 1, as a style sheet can draw it (the policy of the page allows no style attributes). */
export function share(node, value) {
  node.style.setProperty('--share', String(Math.min(1, Math.max(0, value))));
  return node;
}

/** Text in which `…` marks code. */
export const marked = (text) => text.split('`').map((part, i) => (i % 2 === 0 ? part : el('code', {}, part)));
