import { verificationKeys } from './jwks.js';
import { KeyCache } from './key-cache.js';

const LIMITS = { coolDown: 1000, maxAge: 600_000, retryAfter: 10_000 };

/** Milliseconds that the issuer may take to answer. */
const TIMEOUT = 3000;

/** The keys that an issuer publishes at `url` (RFC 7517). */
export const remoteKeys = (url: string, limits = LIMITS, time?: ConstructorParameters<typeof KeyCache>[2]): KeyCache =>
  new KeyCache(() => fetchKeys(url), limits, time);

async function fetchKeys(url: string) {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT) });
    if (!response.ok) throw new Error(`status ${response.status}`);
    return verificationKeys(await response.json());
  } catch (error) {
    const { message, cause } = error as Error;
    throw new Error(`${url}: ${message} ${cause instanceof Error ? cause.message : ''}`, { cause: error });
  }
}
