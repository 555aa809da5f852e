import { hash, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { Logger } from '@nestjs/common';
import { Gauge } from 'prom-client';
import { SettingsError } from './settings.js';

export interface Pem {
  ca?: Buffer;
  cert?: Buffer;
  key?: Buffer;
}

type Part = keyof Pem;

/** How old the contents in use may be compared with the files, in milliseconds. */
const INTERVAL = 2000;

const files = new Map<string, Part>();
void new Gauge({
  name: 'tasklane_tls_certificate_expiry_timestamp_seconds',
  help: 'Unix time at which a file that this process uses ends: of a chain its first certificate to expire, of authorities the last',
  labelNames: ['file'],
  collect() {
    this.reset();
    for (const [file, part] of files) {
      try {
        const ends = certificatesIn(readFileSync(file)).map(({ validToDate }) => validToDate.getTime() / 1000);
        this.set({ file }, part === 'ca' ? Math.max(...ends) : Math.min(...ends));
      } catch {
        // Half written, or gone: its expiry is unknown.
      }
    }
  },
});

/**
 * One end of TLS, from PEM files that are renewed while the process runs, like Secret volumes. New ones are used from
 * the next connection on, 2 s later at most. Unusable ones are logged once, and the previous ones stay in use.
 */
export class Certificates {
  private readonly log = new Logger('TLS');
  private readonly paths: [Part, path: string][];
  private inUse: Pem;
  /** Of the files as last read, usable or not. */
  private state: string;
  private checkedAt = performance.now();

  /**
   * @param names settings that hold paths; unset ones are left out.
   * @throws SettingsError when the files cannot be used now.
   */
  constructor(config: object, names: Partial<Record<Part, string>>) {
    const settings = config as Record<string, string | undefined>;
    const set = Object.entries(names).filter(([, name]) => settings[name] !== undefined);
    this.paths = set.map(([part, name]) => [part as Part, settings[name]!]);
    try {
      this.inUse = this.read();
      check(this.inUse);
    } catch (error) {
      const { message } = error as Error;
      const culprit = set.find(([, name]) => message.includes(`'${settings[name]}'`));
      throw new SettingsError([`${culprit?.[1] ?? Object.values(names).join(', ')}: ${message}`]);
    }
    this.state = stateOf(this.inUse);
    for (const [part, path] of this.paths) if (part !== 'key') files.set(path, part);
  }

  /** The current contents; a new object once the files have changed. */
  get current(): Pem {
    if (performance.now() - this.checkedAt >= INTERVAL) this.renew();
    return this.inUse;
  }

  /** Calls `listener` on each change, until the returned function is called. */
  follow(listener: (pem: Pem) => void): () => void {
    let known = this.current;
    const timer = setInterval(() => {
      const { current } = this;
      if (current === known) return;
      known = current;
      listener(current);
    }, INTERVAL).unref();
    return () => clearInterval(timer);
  }

  private renew(): void {
    this.checkedAt = performance.now();
    const names = this.paths.map(([, path]) => path).join(', ');
    let state: string | undefined;
    try {
      const pem = this.read();
      state = stateOf(pem);
      if (state === this.state) return;
      check(pem);
      this.inUse = pem;
      this.log.log(`${names}: renewed`);
    } catch (error) {
      const { message } = error as Error;
      state ??= message;
      if (state === this.state) return;
      this.log.warn(`${names}: the new certificates are invalid, the previous ones stay in use: ${message}`);
    }
    this.state = state;
  }

  private read(): Pem {
    return Object.fromEntries(this.paths.map(([part, path]) => [part, readFileSync(path)]));
  }
}

const stateOf = (pem: Pem) => JSON.stringify(Object.values(pem).map((content: Buffer) => hash('sha256', content)));

function check(pem: Pem): void {
  if (pem.ca) certificatesIn(pem.ca);
  if (pem.cert) certificatesIn(pem.cert);
  createSecureContext(pem);
}

function certificatesIn(pem: Buffer): X509Certificate[] {
  const begin = '-----BEGIN CERTIFICATE-----';
  const [, ...bodies] = String(pem).split(begin);
  if (bodies.length === 0) throw new Error('there is no certificate');
  return bodies.map((body) => new X509Certificate(begin + body));
}
