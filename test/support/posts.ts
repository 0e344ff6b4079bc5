/** Messages of the message link (CARD=link) as a person sees them: what was told to whom, in which words. */
import type { Message } from '../simulator/chat/chats.js';
import type { Asked, Scene } from './scene.js';
import { linkOn, newPerson, type PersonInScene } from './steps.js';

type Language = 'zh_cn' | 'en_us';

interface PostElement {
  readonly tag: string;
  readonly text: string;
  readonly href?: string;
}

interface Post {
  readonly title: string;
  readonly content: readonly (readonly PostElement[])[];
}

export const postOf = (content: unknown, language: Language = 'en_us'): Post =>
  (content as Record<Language, Post>)[language];

/** Every line a client of this language shows, the title first. */
export function linesOf(content: unknown, language: Language = 'en_us'): string[] {
  const post = postOf(content, language);
  return [post.title, ...post.content.map((elements) => elements.map(({ text }) => text).join(''))];
}

/** The elements, all paragraphs after each other. */
export const elementsOf = (content: unknown, language: Language = 'en_us'): readonly PostElement[] =>
  postOf(content, language).content.flat();

/** English titles of what somebody got, in order. */
export const titlesTo = ({ sim }: Pick<Scene, 'sim'>, openId: string): string[] =>
  sim.messagesTo(openId).map(({ content }) => postOf(content)?.title ?? '(no post)');

/** The newest message with this title; waits for it. */
export const told = ({ sim }: Pick<Scene, 'sim'>, openId: string, title: RegExp): Promise<Message> =>
  sim.until(
    () => sim.messagesTo(openId).findLast(({ content }) => title.test(postOf(content)?.title ?? '')),
    15_000,
    `a message ${title}`,
  );

export const DOCS = { scopes: ['docx:document:readonly'] };

interface Request extends Asked {
  readonly person: PersonInScene;
  readonly link: string;
}

/** A request to somebody new, with the link that came with it. */
export async function asked(scene: Scene, name: string, body: object = {}): Promise<Request> {
  const person = newPerson(scene, name);
  const request = await person.ask({ ...DOCS, ...body });
  return { ...request, person, link: linkOn(scene, request.messageId) };
}
