import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { calculateJwkThumbprint, type JWK } from 'jose';
import { DataSource, type EntityManager, Not } from 'typeorm';
import { KeyCache, type KeySource, type VerificationKey, verificationKeys } from '#libs/auth';
import { SettingsError } from '#libs/service';
import { SigningKey } from './signing-key.entity.js';
import { TokenSecret } from './token-secret.js';

/** How often changes of keys by other replicas are read. */
const LIMITS = { coolDown: 1000, maxAge: 60_000, retryAfter: 10_000 };

/** The keys that sign access tokens (ES256), as this replica last read them from the database. */
@Injectable()
export class Keys implements KeySource, OnModuleInit {
  private readonly log = new Logger('Keys');
  private readonly cache = new KeyCache(() => this.read(), LIMITS);
  private published: { keys: JWK[] } = { keys: [] };
  private signing!: { kid: string; key: KeyObject };

  constructor(
    private readonly dataSource: DataSource,
    private readonly secret: TokenSecret,
  ) {}

  async onModuleInit(): Promise<void> {
    await this.dataSource.transaction(async (tx) => {
      // Replicas that start at once create only one key.
      await tx.query(`SELECT pg_advisory_xact_lock(hashtext('tasklane.signing-keys'))`);
      if (!(await tx.existsBy(SigningKey, { state: 'current' }))) await this.generate(tx);
      await this.reseal(tx);
    });
    await this.cache.load();
  }

  async current(): Promise<{ kid: string; key: KeyObject }> {
    await this.cache.renew();
    return this.signing;
  }

  /** The public keys that verify tokens now or soon (RFC 7517). */
  async jwks(): Promise<{ keys: JWK[] }> {
    await this.cache.renew();
    return this.published;
  }

  find(kid: string): Promise<VerificationKey | undefined> {
    return this.cache.find(kid);
  }

  isFresh(kid: string): boolean {
    return this.cache.isFresh(kid);
  }

  private async read(): Promise<Map<string, VerificationKey>> {
    const rows = await this.dataSource.manager.find(SigningKey, { order: { createdAt: 'DESC' } });
    const current = rows.find(({ state }) => state === 'current');
    if (current === undefined) throw new Error('no signing key is current');
    if (current.kid !== this.signing?.kid) this.signing = { kid: current.kid, key: keyIn(this.open(current).plain) };
    this.published = { keys: rows.map(({ publicJwk }) => publicJwk) };
    return verificationKeys(this.published);
  }

  /** Seals keys with the present secret that were sealed with a former one, so that the former can be dropped. */
  private async reseal(tx: EntityManager): Promise<void> {
    for (const row of await tx.findBy(SigningKey, { state: Not('retired') })) {
      const { plain, isCurrent } = this.open(row);
      if (!isCurrent) await tx.update(SigningKey, row.kid, { sealedPrivateKey: this.secret.seal(plain, row.kid) });
    }
  }

  private open({ kid, sealedPrivateKey }: SigningKey): { plain: Buffer; isCurrent: boolean } {
    try {
      return this.secret.open(sealedPrivateKey, kid);
    } catch {
      throw new SettingsError([
        'TOKEN_SECRET: is not the one that the signing keys in the database were encrypted with; add that one, or empty ' +
          'the table signing_keys to have new keys made, which ends all sessions',
      ]);
    }
  }

  private async generate(tx: EntityManager): Promise<void> {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const jwk = publicKey.export({ format: 'jwk' }) as JWK;
    const kid = await calculateJwkThumbprint(jwk);
    const sealedPrivateKey = this.secret.seal(privateKey.export({ format: 'der', type: 'pkcs8' }), kid);
    const publicJwk = { ...jwk, kid, alg: 'ES256', use: 'sig' };
    await tx.insert(SigningKey, { kid, state: 'current', publicJwk, sealedPrivateKey });
    this.log.log(`created the signing key ${kid}`);
  }
}

const keyIn = (pkcs8: Buffer) => createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
