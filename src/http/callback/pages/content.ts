/** What a page says, apart from how it looks. Texts are templates: `{{client}}`, `{{app}}`, `{{tries_left}}`. */
import type { LocalizedText } from '../../../config/config.js';

export type Tone = 'good' | 'plain' | 'attention' | 'bad' | 'busy';

/** A text of ours: may hold variables, is no HTML. */
export type PageText = LocalizedText;

export interface Content {
  readonly tone: Tone;
  readonly title: PageText;
  /** What happened. */
  readonly happened: readonly PageText[];
  /** What is missing, from outside: shown as it is. */
  readonly list: readonly LocalizedText[];
  /** What to do now. */
  readonly next: readonly PageText[];
  /** For support, from outside: shown as it is. */
  readonly details: readonly Detail[];
  /** From outside: shown as they are. */
  readonly variables: Readonly<Record<string, LocalizedText>>;
  /** Seconds until the page loads itself again; null: never. */
  readonly refreshSeconds: number | null;
}

export interface Detail {
  readonly label: LocalizedText;
  readonly value: string;
}

/** Adds what most pages do not have. */
export const contentOf = (content: Pick<Content, 'tone' | 'title'> & Partial<Content>): Content => ({
  happened: [],
  list: [],
  next: [],
  details: [],
  variables: {},
  refreshSeconds: null,
  ...content,
});
