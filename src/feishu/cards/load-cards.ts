/**
 * Reads `cards/` once at start and refuses what would fail in front of a user: every template is filled with the
 * longest and the shortest session of its screen and judged by Feishu's rules (CONTRACT §4.7).
 */
import type { LocalizedText } from '../../config/config.js';
import { GONE_SCREEN, WITHDRAWN_SCREEN } from '../../domain/screen.js';
import { AuthdError } from '../../errors.js';
import { type CardFiles, type FileProblem, readCardFiles, templateFile } from './card-files.js';
import { checkCardRules } from './card-rules.js';
import {
  CARD_NAMES,
  type CardName,
  type CardSet,
  type FailureTexts,
  MESSAGE_NAMES,
  type MessageTextName,
  type ToastText,
} from './card-set.js';
import { createCardTime } from './card-time.js';
import type { JsonObject, Problem } from './json.js';
import { checkMessageText, checkPost } from './message-rules.js';
import { fillMessage } from './message-text.js';
import { noticeProblems } from './notice.js';
import { createSamples, GRANT_SAMPLES, LONGEST_NAMES, SAMPLE_NOW, type Sample } from './samples.js';
import { checkScreenRules, variablesOn } from './screen-rules.js';
import { sessionVariables, type VariableSources } from './session-variables.js';
import { fillTemplate } from './template.js';
import { checkTemplate } from './template-check.js';
import type { Variables } from './variables.js';
import { withdrawalVariables } from './withdrawal.js';

/**
 * @param dir the folder with the templates and texts
 * @throws AuthdError `cards_invalid` naming every file, place and rule at once
 */
export async function loadCards(dir: string): Promise<CardSet> {
  const read = await readCardFiles(dir);
  if (read.problems.length > 0) throw invalid(dir, read.problems);
  const cards = cardSetOf(read);
  const trial = createTrial(cards);
  const problems = [
    ...CARD_NAMES.flatMap((name) =>
      cardProblems(name, cards, trial).map((problem) => ({ file: templateFile(name), ...problem })),
    ),
    ...MESSAGE_NAMES.flatMap((name) =>
      messageProblems(name, cards, trial).map((problem) => ({ file: 'messages.json', ...problem })),
    ),
    ...noticeProblems(cards.notice).map((rule) => ({ file: 'notice.json', path: 'text', rule })),
  ];
  if (problems.length > 0) throw invalid(dir, problems);
  return cards;
}

/** Every file is there and has its shape (card-files.ts): the texts are what their types say. */
function cardSetOf({ files }: CardFiles): CardSet {
  const file = (name: string): JsonObject => files.get(name) ?? {};
  const failures = file('failures.json') as unknown as Omit<FailureTexts, 'codes'> & {
    readonly codes: Readonly<Record<string, FailureTexts['reasons']['internal_error']>>;
  };
  return {
    templates: Object.fromEntries(CARD_NAMES.map((name) => [name, file(templateFile(name))])) as CardSet['templates'],
    scopes: new Map(Object.entries(file('scopes.json') as unknown as Record<string, LocalizedText>)),
    toasts: file('toasts.json') as unknown as Record<keyof CardSet['toasts'], ToastText>,
    failures: {
      ...failures,
      codes: new Map(Object.entries(failures.codes).map(([code, text]) => [Number(code), text])),
    },
    messages: file('messages.json') as unknown as CardSet['messages'],
    notice: String(file('notice.json')['text']),
  };
}

/** The longest card has every element of its template, so that places are those of the file: it is judged first. */
function cardProblems(name: CardName, cards: CardSet, trial: Trial): Problem[] {
  const template = cards.templates[name];
  const problems = checkTemplate(template, variablesOn(name));
  if (problems.length > 0) return problems;
  for (const { size, variables } of trial(name)) {
    const card = fillTemplate(template, variables);
    const found = [...checkCardRules(card), ...checkScreenRules(name, card)];
    if (found.length > 0) return found.map(({ path, rule }) => ({ path, rule: `${rule}${WHEN[size]}` }));
  }
  return [];
}

/** By the rules of its words, then, filled with the longest, by its size. */
function messageProblems(name: MessageTextName, cards: CardSet, trial: Trial): Problem[] {
  const text = cards.messages[name];
  const problems = checkMessageText(name, text);
  if (problems.length > 0) return problems;
  return trial(name).flatMap(({ variables }) => checkPost(name, fillMessage(text, variables)));
}

/** The values to try a card with, the longest first. */
type Trial = (name: CardName) => { readonly size: Sample['size']; readonly variables: Variables }[];

function createTrial(cards: CardSet): Trial {
  const sources: VariableSources = { cards, time: createCardTime('Asia/Kathmandu'), ...LONGEST_NAMES };
  const samplesOf = createSamples(cards.scopes);
  return (name) => {
    if (name === WITHDRAWN_SCREEN) {
      return GRANT_SAMPLES.map(({ size, grant }) => ({ size, variables: withdrawalVariables(grant, sources) }));
    }
    const samples = samplesOf(name === GONE_SCREEN ? 'request' : name);
    return samples.map(({ size, session }) => ({ size, variables: sessionVariables(session, SAMPLE_NOW, sources) }));
  };
}

const WHEN = { longest: '', shortest: ' (once everything empty is dropped)' } as const;

function invalid(dir: string, problems: readonly FileProblem[]): AuthdError {
  const lines = problems.map(({ file, path, rule }) => `${file}: ${path === '' ? 'the card' : path} ${rule}`);
  return new AuthdError('cards_invalid', `${problems.length} problem(s) in ${dir}:\n${lines.join('\n')}`, {
    remedy: 'Correct the named files; cards/README.md says what they may hold.',
    details: { problems },
  });
}
