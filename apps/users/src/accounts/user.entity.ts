import { Column, CreateDateColumn, Entity, PrimaryColumn, UpdateDateColumn, VersionColumn } from 'typeorm';

export const ROLES = ['admin'];

@Entity('users')
export class User {
  @PrimaryColumn('uuid')
  id!: string;

  /** Trimmed, in lower case. */
  @Column('text')
  email!: string;

  /** PHC string; read only by the login. */
  @Column('text', { name: 'password_hash', select: false })
  passwordHash!: string;

  @Column('text', { name: 'first_name' })
  firstName!: string;

  @Column('text', { name: 'last_name' })
  lastName!: string;

  @Column('smallint', { nullable: true })
  age!: number | null;

  @Column('boolean', { name: 'club_member' })
  clubMember!: boolean;

  @Column('text')
  language!: string;

  /** Granted by an operator's command, never through the API. */
  @Column('text', { array: true })
  roles!: string[];

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz', precision: 3 })
  createdAt!: Date;

  @UpdateDateColumn({ name: 'updated_at', type: 'timestamptz', precision: 3 })
  updatedAt!: Date;

  @VersionColumn()
  version!: number;
}
