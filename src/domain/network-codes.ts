/** What the system's codes of failed connections are about (Node, OpenSSL, undici, ioredis). Pure. */

const DNS_CODES: ReadonlySet<string> = new Set(['ENOTFOUND', 'EAI_AGAIN', 'EAI_NODATA', 'EAI_FAIL']);
const TLS_CODE = /^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH|EPROTO)/;

/** The name cannot be resolved. */
export const isDnsCode = (code: string): boolean => DNS_CODES.has(code);

/** No TLS with the other side: its certificate, or what it speaks. */
export const isTlsCode = (code: string): boolean => TLS_CODE.test(code);
