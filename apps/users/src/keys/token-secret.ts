import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { CONFIG } from '#libs/service';
import type { Config } from '../config.js';

const IV_BYTES = 12;
const TAG_BYTES = 16;

/** What is authenticated by it. */
type Purpose = 'refresh tokens' | 'device cookies' | 'limits';

/**
 * What TOKEN_SECRET is used for; a key of its own for each purpose is derived from each of its secrets by HKDF-SHA256
 * (RFC 5869). The first secret is used for what is new, all are tried on what is shown.
 */
@Injectable()
export class TokenSecret {
  private readonly sealing: Buffer[];
  private readonly authenticating: Record<Purpose, Buffer[]>;

  constructor(@Inject(CONFIG) { TOKEN_SECRET }: Pick<Config, 'TOKEN_SECRET'>) {
    const derive = (purpose: string) =>
      TOKEN_SECRET.map((secret) => Buffer.from(hkdfSync('sha256', secret, '', `tasklane ${purpose}`, 32)));
    this.sealing = derive('signing keys');
    this.authenticating = {
      'refresh tokens': derive('refresh tokens'),
      'device cookies': derive('device cookies'),
      limits: derive('limits'),
    };
  }

  /** Encrypts with AES-256-GCM; `context` must be given again to open it. Layout: nonce, tag, ciphertext. */
  seal(plain: Buffer, context: string): Buffer {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.sealing[0]!, iv).setAAD(Buffer.from(context));
    const encrypted = Buffer.concat([cipher.update(plain), cipher.final()]);
    return Buffer.concat([iv, cipher.getAuthTag(), encrypted]);
  }

  /**
   * Opens what was sealed for `context`, and says whether that was with the present secret.
   * @throws Error when it was sealed with none of the secrets, or for another context.
   */
  open(sealed: Buffer, context: string): { plain: Buffer; isCurrent: boolean } {
    for (const [index, key] of this.sealing.entries()) {
      const plain = decrypt(key, sealed, context);
      if (plain) return { plain, isCurrent: index === 0 };
    }
    throw new Error('sealed with another secret, or for another context');
  }

  /** Proof that `data` was made by a holder of the present secret: HMAC-SHA256, 32 bytes. */
  mac(purpose: Purpose, data: Buffer): Buffer {
    return this.macs(purpose, data)[0]!;
  }

  /** The same with every secret, the present one first. */
  macs(purpose: Purpose, data: Buffer): Buffer[] {
    return this.authenticating[purpose].map((key) => createHmac('sha256', key).update(data).digest());
  }
}

function decrypt(key: Buffer, sealed: Buffer, context: string): Buffer | undefined {
  const iv = sealed.subarray(0, IV_BYTES);
  const tag = sealed.subarray(IV_BYTES, IV_BYTES + TAG_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(context)).setAuthTag(tag);
  try {
    return Buffer.concat([decipher.update(sealed.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]);
  } catch {
    return undefined;
  }
}
