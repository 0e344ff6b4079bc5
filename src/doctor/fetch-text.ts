/** One GET of a page of the daemon that needs no key (/readyz, /metrics), bounded in time and size. No proxy. */
import { Agent, request } from 'undici';

export type FetchedText =
  | { readonly ok: true; readonly status: number; readonly text: string }
  /** A system's or undici's code. */
  | { readonly ok: false; readonly code: string };

/** Metrics of a fleet are some 100 KB. */
const MAX_BYTES = 8 * 1_048_576;

/** Never rejects. */
export async function fetchText(url: string, timeoutMs: number): Promise<FetchedText> {
  const agent = new Agent({ connect: { timeout: timeoutMs }, maxResponseSize: MAX_BYTES });
  try {
    const signal = AbortSignal.timeout(timeoutMs);
    const { body, statusCode } = await request(url, { dispatcher: agent, signal });
    return { ok: true, status: statusCode, text: await body.text() };
  } catch (error) {
    return { ok: false, code: codeOf(error) };
  } finally {
    await agent.destroy();
  }
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  if (error.name === 'TimeoutError') return 'timeout';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
