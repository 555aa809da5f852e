import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { scratchDirectory } from './scratch.js';

/** Whether certificates can be made here; suites that need some are skipped otherwise, which is said aloud. */
export const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
if (!hasOpenssl) process.stderr.write('TLS is not tested, as there is no openssl\n');

const SETTINGS = `
[ca]
default_ca = ours
[ours]
database = index
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = any
copy_extensions = copy
unique_subject = no
[any]
commonName = supplied
`;

export type SecretFiles = Record<'tls.crt' | 'tls.key' | 'ca.crt', string>;

/** An authority for certificates, in a directory of its own. */
export class TestAuthority {
  private readonly directory = scratchDirectory('authority');

  constructor() {
    writeFileSync(join(this.directory, 'settings'), SETTINGS);
    writeFileSync(join(this.directory, 'index'), '');
    this.openssl('req', '-x509', ...this.newKey('ca'), '-out', 'ca.crt', '-days', '1', '-subj', '/CN=CA');
  }

  /** A certificate with these names, such as `DNS:todos` or `IP:127.0.0.1`, that expires in so many seconds. */
  issue(names: string, { seconds = 3600, subject = 'test' } = {}): SecretFiles {
    const end = new Date(Date.now() + seconds * 1000).toISOString().replace(/[-:T]|\.\d+/g, '');
    const request = ['-out', 'csr', '-subj', `/CN=${subject}`, '-addext', `subjectAltName=${names}`];
    this.openssl('req', ...this.newKey('new'), ...request);
    const signer = ['-config', 'settings', '-cert', 'ca.crt', '-keyfile', 'ca.key', '-startdate', '20200101000000Z'];
    this.openssl('ca', '-batch', '-notext', ...signer, '-enddate', end, '-in', 'csr', '-out', 'new.crt');
    return { 'tls.crt': this.read('new.crt'), 'tls.key': this.read('new.key'), 'ca.crt': this.certificate };
  }

  get certificate(): string {
    return this.read('ca.crt');
  }

  remove(): void {
    rmSync(this.directory, { recursive: true });
  }

  private newKey(name: string): string[] {
    return ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${name}.key`];
  }

  private openssl(...args: string[]): void {
    execFileSync('openssl', args, { cwd: this.directory, stdio: 'pipe' });
  }

  private read(name: string): string {
    return readFileSync(join(this.directory, name), 'utf8');
  }
}

/** A Secret's volume: what is written replaces all files at once, by a link, as kubelet does it. */
export class SecretVolume {
  private readonly directory = scratchDirectory('secret');

  constructor(files: Partial<SecretFiles>) {
    for (const name of Object.keys(files)) symlinkSync(join('..data', name), this.path(name as keyof SecretFiles));
    this.write(files);
  }

  path(name: keyof SecretFiles): string {
    return join(this.directory, name);
  }

  write(files: Partial<SecretFiles>): void {
    const version = mkdtempSync(join(this.directory, '..version-'));
    for (const [name, content] of Object.entries(files)) writeFileSync(join(version, name), content, { mode: 0o600 });
    symlinkSync(basename(version), join(this.directory, '..new'));
    renameSync(join(this.directory, '..new'), join(this.directory, '..data'));
  }

  remove(): void {
    rmSync(this.directory, { recursive: true });
  }
}
