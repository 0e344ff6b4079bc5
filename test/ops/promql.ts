/**
 * What a PromQL expression speaks of: metrics with their label matchers, and the labels it groups and joins by. Not a
 * parser: whether an expression is sound is promtool's to say.
 * Source: https://prometheus.io/docs/prometheus/latest/querying/basics/
 */

export interface Matcher {
  readonly label: string;
  readonly operator: string;
  readonly value: string;
}

export interface Selector {
  readonly metric: string;
  readonly matchers: readonly Matcher[];
}

export interface Spoken {
  readonly selectors: readonly Selector[];
  /** Of `by`, `without`, `on`, `ignoring`, `group_left`, `group_right`. */
  readonly labels: readonly string[];
}

/** Names that are neither functions (those have a bracket behind them) nor metrics. */
const WORDS = new Set(['and', 'or', 'unless', 'by', 'without', 'on', 'ignoring', 'bool', 'offset', 'inf', 'nan']);
const GROUPING = /\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)/g;
const MATCHER = /\s*(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"\s*,?/gy;

export function readPromql(expr: string): Spoken {
  const labels = [...expr.matchAll(GROUPING)].flatMap(([, inner = '']) => namesIn(inner));
  const selectors: Selector[] = [];
  const rest = expr
    .replace(GROUPING, ' ')
    .replace(/\[[^\]]*\]/g, ' ')
    .replace(/([a-zA-Z_:][\w:]*)\s*\{([^}]*)\}/g, (_, metric: string, inner: string) => {
      selectors.push({ metric, matchers: matchersIn(inner) });
      return ' ';
    })
    .replace(/\b\d+(?:\.\d+)?(?:[smhdwy]|ms)?\b/g, ' ');
  for (const [, name = ''] of rest.matchAll(/([a-zA-Z_:][\w:]*)\b(?!\s*\()/g)) {
    if (!WORDS.has(name.toLowerCase())) selectors.push({ metric: name, matchers: [] });
  }
  return { selectors, labels };
}

const namesIn = (list: string): string[] =>
  list
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');

function matchersIn(inner: string): Matcher[] {
  const found: Matcher[] = [];
  let end = 0;
  for (const match of inner.matchAll(MATCHER)) {
    const [all, label = '', operator = '', value = ''] = match;
    found.push({ label, operator, value });
    end = match.index + all.length;
  }
  if (inner.slice(end).trim() !== '') throw new Error(`not a list of matchers: ${inner}`);
  return found;
}
