import type { JWK } from 'jose';
import { Column, CreateDateColumn, Entity, PrimaryColumn } from 'typeorm';

export type KeyState = 'next' | 'current' | 'retired';

@Entity('signing_keys')
export class SigningKey {
  /** Thumbprint of the public key, RFC 7638. */
  @PrimaryColumn('text')
  kid!: string;

  @Column('text')
  state!: KeyState;

  @Column('jsonb', { name: 'public_jwk' })
  publicJwk!: JWK;

  /** PKCS #8, sealed by TokenSecret for this kid. */
  @Column('bytea', { name: 'sealed_private_key' })
  sealedPrivateKey!: Buffer;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz', precision: 3 })
  createdAt!: Date;
}
