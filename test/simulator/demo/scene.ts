/** The demo's cast: one app, three colleagues, one service that asks. Values only. */

export interface DemoClient {
  readonly id: string;
  readonly displayName: { readonly zh_cn: string; readonly en_us: string };
}

export interface DemoScope {
  readonly name: string;
  /** Ticked when the page opens. */
  readonly preselected: boolean;
}

export const APP_NAME = '授权小助手';

/** user_ids are fixed, so that the page remembers who sits there over restarts of the demo. */
export const PEOPLE = [
  { userId: 'lilei', name: '李雷', locale: 'zh_cn' },
  { userId: 'hanmeimei', name: '韩梅梅', locale: 'zh_cn' },
  { userId: 'emma', name: 'Emma Jones', locale: 'en_us' },
] as const;

export const CLIENT: DemoClient = {
  id: 'weekly-reports',
  displayName: { zh_cn: '周报助手', en_us: 'Weekly Reports' },
};

export const SCOPES: readonly DemoScope[] = [
  { name: 'calendar:calendar:readonly', preselected: true },
  { name: 'docx:document:readonly', preselected: true },
  { name: 'task:task:read', preselected: false },
];

export const REASON = '每周一汇总你的日程和文档，生成周报';
