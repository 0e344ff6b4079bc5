/** Finds the buttons of a card JSON 2.0 wherever they are nested, with what pressing them does (FEISHU.md §5.2). */

export interface CardButton {
  /** `action` of the callback value. */
  readonly action: string | undefined;
  /** The callback value; undefined: the button sends none. */
  readonly value: Record<string, unknown> | undefined;
  /** Address it opens. */
  readonly url: string | undefined;
}

interface Behavior {
  type?: string;
  value?: Record<string, unknown>;
  default_url?: string;
}

export function buttonsOf(node: unknown): CardButton[] {
  if (Array.isArray(node)) return node.flatMap(buttonsOf);
  if (typeof node !== 'object' || node === null) return [];
  const object = node as Record<string, unknown>;
  if (object['tag'] === 'button') return [describe(object)];
  return Object.values(object).flatMap(buttonsOf);
}

function describe(button: Record<string, unknown>): CardButton {
  const behaviors = (button['behaviors'] ?? []) as Behavior[];
  const value = behaviors.find((behavior) => behavior.type === 'callback')?.value;
  const action = value?.['action'];
  return {
    action: typeof action === 'string' ? action : undefined,
    value,
    url: behaviors.find((behavior) => behavior.type === 'open_url')?.default_url,
  };
}
