import { Column, CreateDateColumn, Entity, PrimaryColumn } from 'typeorm';

/** One login on one device; the family of its refresh tokens. */
@Entity('sessions')
export class Session {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'user_id' })
  userId!: string;

  /** Number of the refresh token that is valid now. */
  @Column('int')
  generation!: number;

  /** Random, a part of what the macs of its refresh tokens are about; leaves the service with no token. */
  @Column('bytea')
  salt!: Buffer;

  /** When this generation began. */
  @Column({ type: 'timestamptz', name: 'rotated_at', precision: 3 })
  rotatedAt!: Date;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz', precision: 3 })
  createdAt!: Date;

  @Column({ type: 'timestamptz', name: 'expires_at', precision: 3 })
  expiresAt!: Date;

  @Column({ type: 'timestamptz', name: 'revoked_at', precision: 3, nullable: true })
  revokedAt!: Date | null;

  @Column('text', { name: 'user_agent', nullable: true })
  userAgent!: string | null;
}
