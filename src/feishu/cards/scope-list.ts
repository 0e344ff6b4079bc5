/**
 * Scopes as the lines a user reads: words from cards/scopes.json, unknown scopes by name. Pure. A long list is split
 * into a part that is always visible and a part the card folds away.
 */
import type { LocalizedText } from '../../config/config.js';
import { clip } from '../../domain/plain-text.js';
import { MAX_SCOPES, OFFLINE_ACCESS } from '../../domain/scopes.js';

/** So many lines are shown without folding … */
const UNFOLDED = 8;
/** … and so many stay visible above a fold. */
const VISIBLE = 6;
/** Characters of a scope without words; SCOPE_PATTERN allows no more. */
const MAX_NAME = 128;

export interface ScopeLines {
  readonly visible: LocalizedText;
  /** Empty when nothing is folded. */
  readonly folded: LocalizedText;
  /** How many lines are folded, as digits; empty when none is. */
  readonly foldedCount: string;
}

const NOTHING: LocalizedText = { zh_cn: '', en_us: '' };

export function scopeLines(scopes: readonly string[], words: ReadonlyMap<string, LocalizedText>): ScopeLines {
  const texts = distinct(inOrder(scopes).map((scope) => words.get(scope) ?? byName(scope)));
  if (texts.length <= UNFOLDED) return { visible: joined(texts), folded: NOTHING, foldedCount: '' };
  const folded = texts.slice(VISIBLE);
  const shown = folded.slice(0, MAX_SCOPES - VISIBLE);
  const rest = folded.length - shown.length;
  if (rest > 0) shown.push(byName(`… +${rest}`));
  return { visible: joined(texts.slice(0, VISIBLE)), folded: joined(shown), foldedCount: String(folded.length) };
}

/** `offline_access` matters to the user (it outlives the day), so it is the last line that is always visible. */
function inOrder(scopes: readonly string[]): readonly string[] {
  if (!scopes.includes(OFFLINE_ACCESS)) return scopes;
  const others = scopes.filter((scope) => scope !== OFFLINE_ACCESS);
  const place = others.length < UNFOLDED ? others.length : VISIBLE - 1;
  return [...others.slice(0, place), OFFLINE_ACCESS, ...others.slice(place)];
}

/** Several scopes may allow the same in words: one line is enough. */
function distinct(texts: readonly LocalizedText[]): LocalizedText[] {
  return [...new Map(texts.map((text) => [`${text.zh_cn}\n${text.en_us}`, text])).values()];
}

function byName(scope: string): LocalizedText {
  const name = clip(scope, MAX_NAME);
  return { zh_cn: name, en_us: name };
}

const joined = (texts: readonly LocalizedText[]): LocalizedText => ({
  zh_cn: texts.map((text) => `• ${text.zh_cn}`).join('\n'),
  en_us: texts.map((text) => `• ${text.en_us}`).join('\n'),
});
