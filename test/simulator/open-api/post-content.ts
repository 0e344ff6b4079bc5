/**
 * Whether Feishu takes the content of a `post` message: texts by language, each a title and paragraphs of elements.
 * Source: FEISHU.md §4.2 (create_json, "富文本 post"). Elements the daemon has no use for are not known here.
 */
import { asObject, type Reply } from '../http/exchange.js';
import { openApiError } from '../http/refusals.js';

/** Of the whole request. */
const MAX_POST_REQUEST_BYTES = 30 * 1024;
const LANGUAGE = /^[a-z]{2}_[a-z]{2}$/;

/** undefined: it is taken. */
export function refusalOfPost(content: Record<string, unknown>, requestBytes: number): Reply | undefined {
  if (requestBytes > MAX_POST_REQUEST_BYTES) {
    return openApiError(230025, 'The length of the message content reaches its limit.');
  }
  const languages = Object.entries(content);
  const isPost = languages.length > 0 && languages.every(([name, post]) => LANGUAGE.test(name) && isTaken(post));
  return isPost ? undefined : openApiError(230001, 'Your request contains an invalid request parameter.');
}

function isTaken(post: unknown): boolean {
  const { content, title } = asObject(post) ?? {};
  if (title !== undefined && typeof title !== 'string') return false;
  return Array.isArray(content) && content.length > 0 && content.every(isParagraph);
}

const isParagraph = (paragraph: unknown): boolean =>
  Array.isArray(paragraph) && paragraph.length > 0 && paragraph.every(isElement);

function isElement(element: unknown): boolean {
  const { href, tag, text } = asObject(element) ?? {};
  if (typeof text !== 'string' || text === '') return false;
  return tag === 'text' || (tag === 'a' && typeof href === 'string' && /^https?:\/\/\S+$/.test(href));
}
