import { Column, Entity, PrimaryColumn } from 'typeorm';

/** The copy of an account, from events, or over gRPC before its event has arrived. Renaming the table would break replicas of the previous version. */
@Entity('people')
export class User {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('text')
  email!: string;

  @Column({ type: 'text', name: 'first_name' })
  firstName!: string;

  @Column({ type: 'text', name: 'last_name' })
  lastName!: string;

  /** The account's version at users; an older one never replaces a newer. */
  @Column('int')
  version!: number;
}
