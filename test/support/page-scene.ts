/**
 * A simulator with one app, an official SDK client answering its clicks, and its page open in a browser: what the
 * tests of the page itself need. The cards are made by the tests.
 */
import type { BrowserContextOptions, Locator } from 'playwright-core';
import { type Scene, startScene } from '../simulator/support/scene.js';
import { connectSdk, type SdkClient, card as smallCard } from '../simulator/support/sdk-client.js';
import { openBrowser, type TestBrowser, type Visit } from './browser.js';

type Json = Record<string, unknown>;

export interface PageScene extends Scene {
  /** Answers the clicks; change it to change the answer. */
  answer: (event: Json) => unknown;
  /** The clicks that arrived. */
  readonly clicks: Json[];
  /** Starts and ends the app's long connection. */
  connect(): Promise<void>;
  disconnect(): void;
  /** Opens the chat page as somebody, in a language. */
  open(options?: { as?: string; locale?: string; context?: BrowserContextOptions }): Promise<Visit>;
  /** Opens any path of the simulator. */
  openPath(path: string, context?: BrowserContextOptions): Promise<Visit>;
  patch(messageId: string, card: Json): Promise<void>;
  close(): Promise<void>;
}

export async function startPageScene(): Promise<PageScene> {
  const scene = await startScene();
  const browser: TestBrowser = await openBrowser();
  let sdk: SdkClient | null = null;
  const pageScene: PageScene = {
    ...scene,
    answer: () => ({}),
    clicks: [],
    async connect() {
      sdk = await connectSdk(scene.simulator, scene.app, {
        'card.action.trigger': (event) => {
          pageScene.clicks.push(event as Json);
          return pageScene.answer(event as Json);
        },
      });
    },
    disconnect() {
      sdk?.close();
      sdk = null;
    },
    open({ as = scene.user.userId, locale = 'zh_cn', context = {} } = {}) {
      return browser.visit(`${scene.simulator.baseUrl}/?as=${as}&locale=${locale}`, context);
    },
    openPath: (path, context) => browser.visit(`${scene.simulator.baseUrl}${path}`, context),
    async patch(messageId, card) {
      await scene.call('PATCH', `/open-apis/im/v1/messages/${messageId}`, { content: JSON.stringify(card) });
    },
    async close() {
      await browser.close();
      pageScene.disconnect();
      await scene.simulator.close();
    },
  };
  await pageScene.connect();
  return pageScene;
}

export const text = (zh: string, en: string): Json => ({
  tag: 'plain_text',
  content: zh,
  i18n_content: { zh_cn: zh, en_us: en },
});

export const button = (zh: string, en: string, more: Json = {}): Json => ({
  tag: 'button',
  text: text(zh, en),
  behaviors: [{ type: 'callback', value: { action: en } }],
  ...more,
});

/** A card of the given elements under a blue header. */
export const cardOf = (...elements: Json[]): Json => ({
  ...smallCard('x'),
  header: { title: text('标题', 'Title'), template: 'blue' },
  body: { elements },
});

/** The message with that id on the page. */
export const messageOn = (visit: Visit, messageId: string): Locator => visit.page.getByTestId(`message-${messageId}`);
