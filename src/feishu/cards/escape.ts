/**
 * Makes text of others harmless inside a card's markdown and inside a text message. Pure.
 *
 * Feishu's markdown takes HTML character references for its special characters; a backslash is not reliable on all
 * clients. Besides markup (FEISHU.md §5.2) this takes apart what clients turn into something by themselves:
 * addresses (`:`, `.`), mentions (`@`), emoji codes (`:OK:`), list and heading marks at the start of a line.
 */

const SPECIAL = /[&<>*_~`[\]()#!|\\$:@.{}"']/g;
/** `-`, `+` and `=` anywhere at a line's start; a number only where an (already escaped) `.` or `)` follows. */
const LINE_START = /^( *)([-+=]|\d+(?=&#4[16];))/gm;

const reference = (character: string): string => `&#${character.codePointAt(0)};`;

export const escapeMarkdown = (text: string): string =>
  text
    .replace(SPECIAL, reference)
    .replace(LINE_START, (_match, indent: string, mark: string) => `${indent}${reference(mark)}${mark.slice(1)}`);

/**
 * The target of a markdown link: byte by byte as given. Only what would end the link too early is percent-encoded,
 * characters that no URL of Feishu's has unencoded so far.
 */
export const markdownLinkTarget = (url: string): string =>
  url.replace(/[\s()<>\\]/g, (character) => PARENTHESES[character] ?? encodeURIComponent(character));

/** encodeURIComponent leaves them alone. */
const PARENTHESES: Readonly<Record<string, string>> = { '(': '%28', ')': '%29' };

/** A text message has no escapes: characters that make mentions, links or styles are shown by their wide twins. */
const WIDE: Readonly<Record<string, string>> = {
  '<': '＜',
  '>': '＞',
  '[': '［',
  ']': '］',
  '*': '＊',
  '~': '～',
  '`': '｀',
};

export const escapeMessageText = (text: string): string =>
  text.replace(/[<>[\]*~`]/g, (character) => WIDE[character] ?? character);

/**
 * What a client turns into something by itself inside the text of a post: addresses with and without a scheme, mail
 * addresses, mentions. A dot in a number (2.0) and at the end of a sentence stays.
 */
const AUTOMATIC = /:(?=\/)|@|(?<=\S)\.(?=[\p{L}\p{M}])|(?<=\d\.\d+)\.(?=\d)/gu;
const WIDER: Readonly<Record<string, string>> = { ':': '：', '@': '＠', '.': '．' };

/** Text of others inside a post: marks that do something are shown by their wide twins. */
export const escapePostText = (text: string): string =>
  escapeMessageText(text).replace(AUTOMATIC, (character) => WIDER[character] ?? character);
