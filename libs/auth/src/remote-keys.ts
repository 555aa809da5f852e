import { get as getPlain, type IncomingMessage } from 'node:http';
import { get as getEncrypted } from 'node:https';
import { json } from 'node:stream/consumers';
import { getCACertificates } from 'node:tls';
import { verificationKeys } from './jwks.js';
import { KeyCache } from './key-cache.js';

const LIMITS = { coolDown: 1000, maxAge: 600_000, retryAfter: 10_000 };

/** Milliseconds that the issuer may take to answer. */
const TIMEOUT = 3000;

/** Returns the authority, in PEM, that is accepted besides the well-known ones, if there is one. */
type OwnAuthority = () => Buffer | undefined;

/** The keys that an issuer publishes at `url` (RFC 7517). */
export const remoteKeys = (
  url: string,
  authority: OwnAuthority = () => undefined,
  limits = LIMITS,
  time?: ConstructorParameters<typeof KeyCache>[2],
): KeyCache => new KeyCache(() => fetchKeys(url, authority()), limits, time);

async function fetchKeys(url: string, authority: Buffer | undefined) {
  try {
    return verificationKeys(await fetchJson(url, authority));
  } catch (error) {
    throw new Error(`${url}: ${(error as Error).message}`, { cause: error });
  }
}

/** As `fetch` would, which takes no authority and follows redirects, for which nobody here has a use. */
async function fetchJson(url: string, authority: Buffer | undefined): Promise<unknown> {
  // A connection that is kept would be of no use to the next fetch, minutes later.
  const options = { signal: AbortSignal.timeout(TIMEOUT), agent: false };
  const ca = authority && [...getCACertificates(), String(authority)];
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = url.startsWith('https:')
      ? getEncrypted(url, { ...options, ca }, resolve)
      : getPlain(url, options, resolve);
    request.once('error', reject);
  });
  if (response.statusCode === 200) return json(response);
  response.resume();
  throw new Error(`status ${response.statusCode}`);
}
