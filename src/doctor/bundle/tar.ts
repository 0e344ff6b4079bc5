/**
 * Writes a tar archive of a few small files in memory (POSIX.1-1988 ustar: 512-byte blocks, a header before each file,
 * two blocks of zeros at the end). Plain files only, names of at most 100 ASCII characters.
 */

export interface TarEntry {
  readonly name: string;
  readonly content: string;
}

const BLOCK = 512;
const LONGEST_NAME = 100;
const MODE = 0o600;

/** @param mtimeMs milliseconds since the epoch, for all of them */
export function tar(entries: readonly TarEntry[], mtimeMs: number): Buffer {
  const parts = entries.flatMap(({ content, name }) => {
    const bytes = Buffer.from(content, 'utf8');
    return [header(name, bytes.length, mtimeMs), bytes, Buffer.alloc(-bytes.length & (BLOCK - 1))];
  });
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]);
}

function header(name: string, size: number, mtimeMs: number): Buffer {
  if (!/^[\x21-\x7E]+$/.test(name) || name.length > LONGEST_NAME) throw new RangeError('not a name ustar can hold');
  const block = Buffer.alloc(BLOCK);
  const put = (text: string, offset: number): number => block.write(text, offset, 'ascii');
  put(name, 0);
  put(octal(MODE, 7), 100);
  put(octal(0, 7), 108);
  put(octal(0, 7), 116);
  put(octal(size, 11), 124);
  put(octal(Math.floor(mtimeMs / 1000), 11), 136);
  // The checksum is taken with spaces in its own place.
  put(' '.repeat(8), 148);
  put('0', 156);
  put('ustar\0', 257);
  put('00', 263);
  const sum = block.reduce((total, byte) => total + byte, 0);
  put(`${octal(sum, 6)}\0 `, 148);
  return block;
}

const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, '0');
