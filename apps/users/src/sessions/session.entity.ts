import { Column, CreateDateColumn, Entity, PrimaryColumn } from 'typeorm';

/** One login on one device, with its family of refresh tokens. */
@Entity('sessions')
export class Session {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'user_id' })
  userId!: string;

  /** Number of the valid refresh token. */
  @Column('int')
  generation!: number;

  /** Random input of its refresh tokens' macs; contained in no token. */
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
