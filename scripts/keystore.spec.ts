import { spawn } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from '@jest/globals';
import { hasOpenssl, scratchDirectory, SecretVolume, TestAuthority, waitFor } from '#libs/testing';

(hasOpenssl ? it : it.skip)(
  'Kafka’s keystore follows its Secret, but for a pair that does not fit',
  async () => {
    const authority = new TestAuthority();
    const volume = new SecretVolume(authority.issue('DNS:first'));
    const directory = scratchDirectory('keystore');
    const keystore = join(directory, 'keystore.pem');
    const program = readFileSync('helm/tasklane/files/kafka/keystore.mjs', 'utf8');
    const args = ['--input-type=module', '--eval', program, dirname(volume.path('tls.crt')), keystore];
    const converter = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    const ended = new Promise((resolve) => converter.once('exit', resolve));
    let said = '';
    converter.stderr.on('data', (text) => (said += String(text)));
    const names = () => {
      if (!existsSync(keystore)) return undefined;
      const pem = readFileSync(keystore, 'utf8');
      expect(pem).toContain('-----BEGIN PRIVATE KEY-----');
      const certificate = new X509Certificate(pem.slice(pem.indexOf('-----BEGIN CERTIFICATE')));
      expect(certificate.checkPrivateKey(createPrivateKey(pem))).toBe(true);
      return certificate.subjectAltName;
    };
    const within = { timeout: 15_000, interval: 200 };
    try {
      await waitFor(() => names() === 'DNS:first', within);
      const issued = authority.issue('DNS:second');
      // As cert-manager writes keys unless told otherwise, and Kafka cannot read them.
      const key = createPrivateKey(issued['tls.key']).export({ type: 'sec1', format: 'pem' });
      const second = { ...issued, 'tls.key': String(key) };
      volume.write({ ...second, 'tls.key': authority.issue('DNS:third')['tls.key'] });
      await waitFor(() => said.includes('the key belongs to another certificate'), within);
      expect(names()).toBe('DNS:first');
      volume.write(second);
      await waitFor(() => names() === 'DNS:second', within);
      converter.kill();
      expect(await ended).toBe(0);
    } finally {
      converter.kill();
      rmSync(directory, { recursive: true });
      for (const made of [authority, volume]) made.remove();
    }
  },
  60_000,
);
