/** Ctrl-C and SIGTERM of a process, as commands see them. */
import type { Interrupts } from './context.js';

type SignalSource = Pick<NodeJS.Process, 'on' | 'off' | 'kill' | 'pid'>;

export function createInterrupts(source: SignalSource): Interrupts {
  let caught: NodeJS.Signals = 'SIGINT';
  return {
    on(handler) {
      const listener = (signal: NodeJS.Signals): void => {
        caught = signal;
        handler();
      };
      source.on('SIGINT', listener);
      source.on('SIGTERM', listener);
      return () => {
        source.off('SIGINT', listener);
        source.off('SIGTERM', listener);
      };
    },
    raise() {
      source.kill(source.pid, caught);
    },
  };
}
