import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { CONFIG } from '#libs/service';
import type { Config } from '../config.js';

const IV_BYTES = 12;
const TAG_BYTES = 16;

/** What TOKEN_SECRET is used for; a key of its own for each purpose is derived from it by HKDF-SHA256 (RFC 5869). */
@Injectable()
export class TokenSecret {
  private readonly sealing: Buffer;
  private readonly authenticating: Buffer;

  constructor(@Inject(CONFIG) { TOKEN_SECRET }: Pick<Config, 'TOKEN_SECRET'>) {
    const derive = (purpose: string) => Buffer.from(hkdfSync('sha256', TOKEN_SECRET, '', `tasklane ${purpose}`, 32));
    this.sealing = derive('signing keys');
    this.authenticating = derive('refresh tokens');
  }

  /** Encrypts with AES-256-GCM; `context` must be given again to open it. Layout: nonce, tag, ciphertext. */
  seal(plain: Buffer, context: string): Buffer {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.sealing, iv).setAAD(Buffer.from(context));
    const encrypted = Buffer.concat([cipher.update(plain), cipher.final()]);
    return Buffer.concat([iv, cipher.getAuthTag(), encrypted]);
  }

  /** @throws Error when it was sealed with another secret or context. */
  open(sealed: Buffer, context: string): Buffer {
    const iv = sealed.subarray(0, IV_BYTES);
    const tag = sealed.subarray(IV_BYTES, IV_BYTES + TAG_BYTES);
    const decipher = createDecipheriv('aes-256-gcm', this.sealing, iv).setAAD(Buffer.from(context)).setAuthTag(tag);
    return Buffer.concat([decipher.update(sealed.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]);
  }

  /** Proof that `text` was made by a holder of the secret: HMAC-SHA256, 32 bytes. */
  mac(text: string): Buffer {
    return createHmac('sha256', this.authenticating).update(text).digest();
  }
}
