/** The other end of `Child.order`: a child does what it is told, answers, and ends when its parent is gone. */

/** One order at a time: the parent waits for each answer. A rejection ends the process, which the parent notices. */
export function takeOrders(carryOut: (order: unknown) => Promise<unknown>): void {
  process.on('message', (message: { readonly order: unknown }) => {
    void carryOut(message.order).then((answer) => process.send?.(answer));
  });
  process.on('disconnect', () => process.exit(0));
}

/** The options that `startChild` was given as the last argument. */
export const childOptions = (): unknown => JSON.parse(process.argv.at(-1) ?? 'null');
