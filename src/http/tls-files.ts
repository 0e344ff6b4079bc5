/** Certificate and private key for HTTPS, read and tried once before the server is built. */
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { TlsConfig } from '../config/config.js';
import { AuthdError } from '../errors.js';

export interface TlsCredentials {
  readonly cert: Buffer;
  /** Secret. */
  readonly key: Buffer;
}

/** @throws {AuthdError} `config_invalid` naming the file that cannot be read, or both when they do not fit */
export async function readTlsFiles({ certFile, keyFile }: TlsConfig): Promise<TlsCredentials> {
  const [cert, key] = await Promise.all([readPem(certFile), readPem(keyFile)]);
  const unfit = whyUnfit({ cert, key });
  if (unfit === null) return { cert, key };
  throw new AuthdError('config_invalid', `${certFile} and ${keyFile} do not make a TLS certificate: ${unfit}`);
}

const readPem = (file: string): Promise<Buffer> =>
  readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw new AuthdError('config_invalid', `The TLS file ${file} cannot be read: ${error.code}`, { cause: error });
  });

/** OpenSSL's code, such as `ERR_OSSL_X509_KEY_VALUES_MISMATCH`; null when they fit. */
function whyUnfit(credentials: TlsCredentials): string | null {
  try {
    createSecureContext(credentials);
    return null;
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}
