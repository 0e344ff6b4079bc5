/** One part of a scrape: read on its own, within a deadline, never twice at once. */
import type { Logger } from 'pino';

export interface Part<T> {
  readonly name: string;
  read(): Promise<T | null>;
  /** null: not known now. */
  show(value: T | null): void;
}

/** For all parts together, as they are read side by side; Prometheus itself gives up after 10 s. */
const READ_MS = 1_000;

/**
 * Reads a part within the deadline. A read that is still under way from an earlier scrape is not begun again: nothing
 * piles up behind a Redis that hangs.
 */
export function reader<T>(part: Part<T>, logger: Logger): () => Promise<void> {
  let underWay = false;
  const read = async (): Promise<T | null> => {
    underWay = true;
    try {
      return await part.read();
    } catch (error) {
      logger.debug({ event: 'metrics.unread', part: part.name, err: error }, 'A part of the metrics could not be read');
      return null;
    } finally {
      underWay = false;
    }
  };
  return async () => {
    if (underWay) return part.show(null);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<null>((resolve) => {
      timer = setTimeout(() => resolve(null), READ_MS);
    });
    part.show(await Promise.race([read(), late]));
    clearTimeout(timer);
  };
}
