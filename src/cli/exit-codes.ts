/** Exit codes of every subcommand, as in lark-cli (CONTRACT §1). */
export const EXIT = {
  done: 0,
  /** Feishu or the API refused; for `start`: stopped, but cut short. */
  refused: 1,
  /** Wrong usage or configuration: do not restart, correct it. */
  usage: 2,
  notAuthorized: 3,
  network: 4,
  internal: 5,
} as const;
